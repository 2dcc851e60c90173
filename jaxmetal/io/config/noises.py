"""Errors and noise of a configuration's maps and images."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.noise import STYLES
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.table import naming, take
from jaxmetal.io.fits import Map
from jaxmetal.io.noise import to_sigma

POWERS = {"data": 1, "flux/pixel": 1, "data^2": 2, "data^2 flux/pixel": 3}
"""Unit of a noise's field -> how often the unit of an image is in it."""


def errors(table: dict[str, Any], where: str, data: Map, used: Any, context: Context) -> np.ndarray:
    """The errors; ones where the noise has parameters instead."""
    given = {name: table[name] for name in STYLES if name in table}
    if not given and "noise" in table:
        return np.ones(data.values.shape)
    read = {
        name: take(given, name, where, float)
        if isinstance(v, (int, float))
        else context.beside(data, v, f"{where}.{name}")
        for name, v in given.items()
    }
    with naming(where):
        sigma, findings = to_sigma(data, used=used, **read)
    context.findings.extend(Finding(one.severity, f"{where}: {one.text}") for one in findings)
    return sigma


def noise_of(
    table: dict[str, Any], where: str, made: Any, used: np.ndarray | None, factor: float, context: Context
) -> Any:
    """The noise model around the errors that were read.

    Args:
        table: of the observation.
        where: it is in the file.
        made: the observation, around errors alone.
        used: True for pixels that count; None for all.
        factor: that the data were multiplied with, and those errors.
        context: see `Context`.

    Raises:
        InputError: if it has another shape than the data, or is not finite.
    """
    if "noise" not in table:
        return made.noise
    extra = {"sigma": made.noise.sigma} if any(name in table for name in STYLES) else {}
    if extra:
        require_errors_once(table["noise"], f"{where}.noise")
    noise = _scaled(build(table["noise"], "noise", f"{where}.noise", context, extra), factor, made.noise.sigma)
    arrays = {
        field.name: np.asarray(getattr(noise, field.name))
        for field in dataclasses.fields(noise)
        if isinstance(getattr(noise, field.name), np.ndarray) and field.name not in extra
    }
    bins = made.bins
    if bins is not None:
        counted = bins.labels if used is None else np.where(used, bins.labels, -1)
        arrays = {n: per_bin(f"{where}.noise.{n}", a, counted, bins.n) if a.ndim else a for n, a in arrays.items()}
    for name, array in arrays.items():
        if array.shape not in ((), made.data.shape) or not np.all(
            np.isfinite(array[made.used] if array.ndim else array)
        ):
            raise InputError(
                f"{where}.noise.{name}: expected finite numbers wherever there are data, in their shape; "
                "correct that map."
            )
    return dataclasses.replace(noise, **{n: np.sign(a).astype(int) if n == "limits" else a for n, a in arrays.items()})


def require_errors_once(given: Any, where: str) -> None:
    """Refuses errors inside a noise whose errors stand beside it.

    Args:
        given: its table.
        where: that is.

    Raises:
        InputError: if it, or a noise within, states a sigma.
    """
    for key, part in given.items() if isinstance(given, dict) else ():
        if key == "sigma":
            raise InputError(
                f"{where}.sigma: expected errors once, found them beside the noise, too; remove one of both."
            )
        require_errors_once(part, f"{where}.{key}")


def _scaled(noise: Any, factor: float, done: np.ndarray) -> Any:
    """A noise whose maps, given in the unit of the file of the data, are in that of the data.

    Numbers and priors stay: what a fit finds of them is in the unit of its data.

    Args:
        noise: or one within.
        factor: that the data were multiplied with.
        done: errors that were multiplied before.
    """
    changes = {}
    for field in dataclasses.fields(noise):
        given = getattr(noise, field.name)
        if dataclasses.is_dataclass(given):
            changes[field.name] = _scaled(given, factor, done)
        elif isinstance(given, np.ndarray) and given.ndim and given is not done:
            changes[field.name] = factor ** POWERS.get(field.metadata.get("unit", ""), 0) * given
    return dataclasses.replace(noise, **changes) if changes else noise
