"""Gradients of a metallicity map the classical ways, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxmetal.classical import StraightLine, annuli, ols, wls


def gradients(
    radius: np.ndarray,
    metallicity: np.ndarray,
    sigma: np.ndarray,
    *,
    used: np.ndarray | None = None,
    signal: np.ndarray | None = None,
    noise: np.ndarray | None = None,
    shared: Iterable[np.ndarray] = (),
    **annulus: Any,
) -> dict[str, StraightLine]:
    """Straight lines through spaxels and through annuli, each unweighted and weighted (as Wang et al. 2017, Table 5).

    Args:
        radius: deprojected radius of every spaxel, any shape.
        metallicity: 12 + log(O/H), same shape.
        sigma: its standard deviation, dex.
        used: True for the spaxels to use; those with finite numbers by default.
        signal: line flux, for annuli of equal signal to noise.
        noise: its standard deviation.
        shared: what moves all metallicities together, as of `classical.wls`; it is in the errors of "spaxels, WLS".
        **annulus: one of `width`, `number`, `count`, `signal_to_noise`, as `classical.annuli` takes them.

    Returns:
        "spaxels, OLS", "spaxels, WLS", "annuli, OLS" and "annuli, WLS"; slopes in dex per unit of the radius.

    Raises:
        InputError: as `annuli` and `wls`.
    """
    r, z, s = (np.ravel(np.asarray(one, float)) for one in (radius, metallicity, sigma))
    more: dict[str, Any] = {
        key: np.ravel(one) for key, one in {"signal": signal, "noise": noise}.items() if one is not None
    }
    mask = _finite(r, z, s, *more.values()) if used is None else np.ravel(used)
    table = annuli(r, z, s, used=mask, **more, **annulus)
    return {
        "spaxels, OLS": ols(r, z, used=mask),
        "spaxels, WLS": wls(r, z, s, used=mask, shared=[np.ravel(one) for one in shared]),
        "annuli, OLS": ols(table.radius, table.mean),
        "annuli, WLS": wls(table.radius, table.mean, table.error),
    }


def _finite(first: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Where all are finite; an array of another length is left to `annuli` to refuse."""
    alike = [first, *(one for one in others if one.shape == first.shape)]
    return np.logical_and.reduce([np.isfinite(one) for one in alike])
