"""A flux and its error: where both are there, and what the error's file says of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.noise import only_style, tiny
from jaxmetal.edge.physical import standing_for_none
from jaxmetal.io.config.context import Context
from jaxmetal.io.fits import Map
from jaxmetal.io.noise import to_sigma


def style_of(row: dict[str, Any], where: str) -> str:
    """Which of sigma, variance and ivar a feature has.

    Raises:
        InputError: unless it is exactly one.
    """
    return only_style(row, where)[0]


def flux_and_sigma(
    flux: Map | np.ndarray, noise: Map | np.ndarray | float, style: str, where: str, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    """Both, NaN where either is missing: no number, infinite, or an inverse variance of 0.

    Args:
        flux: shape (ny, nx).
        noise: sigma, variance or ivar, same shape or a number.
        style: which of the three.
        where: place in the file.
        context: that takes what is suspicious.

    Raises:
        InputError: if shapes differ or an error is not positive, as `to_sigma`.
    """
    values, given = (np.asarray(one.values if isinstance(one, Map) else one, float) for one in (flux, noise))
    if given.shape not in ((), values.shape):
        raise InputError(
            f"{where}.{style}: expected the shape {values.shape} of its flux, found {given.shape}; cut them alike."
        )
    there = np.isfinite(values) & ~np.isnan(given)
    try:
        sigma, findings = to_sigma(flux, used=there, **{style: noise})
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if isinstance(flux, Map):  # rows of a table have no neighbours to compare
        context.findings.extend(Finding(one.severity, f"{where}: {one.text}") for one in findings)
    there &= np.isfinite(sigma)
    context.findings.extend((*standing_for_none(where, values, sigma, there), *tiny(where, sigma, there)))
    return np.where(there, values, np.nan), np.where(there, sigma, np.nan)
