"""Errors and noise of a configuration's maps and images."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
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
    noise = built_around(extra, table["noise"], f"{where}.noise", context)
    return _of_data(_scaled(noise, factor, made.noise.sigma), f"{where}.noise", made, used)


def built_around(errors: dict[str, np.ndarray], given: Any, where: str, context: Context) -> Any:
    """A noise of a configuration, around the errors that stand beside it.

    Args:
        errors: `sigma`, or nothing.
        given: the table of the noise.
        where: that is in the file.
        context: see `Context`.

    Raises:
        InputError: if it has no room for them, which would be left out.
    """
    noise = build(given, "noise", where, context, errors)
    if errors and not any(leaf is errors["sigma"] for leaf in jax.tree.leaves(noise)):
        raise InputError(
            f"{where}: expected a noise around the errors that stand beside it, found {type(noise).__name__}, which "
            "has none of those; leave them out, or take a noise that has a sigma, e.g. StudentT."
        )
    return noise


def _of_data(noise: Any, where: str, made: Any, used: np.ndarray | None) -> Any:
    """A noise, and those within, with maps that are finite wherever there are data; of bins, their value in each."""
    found = {}
    for field in dataclasses.fields(noise):
        name, part = f"{where}.{field.name}", getattr(noise, field.name)
        if field.metadata.get("room", "noise") != "noise":  # what is of lags, not of data
            continue
        if dataclasses.is_dataclass(part):
            found[field.name] = _of_data(part, name, made, used)
        elif isinstance(part, np.ndarray) and part is not made.noise.sigma:
            found[field.name] = _map_of_data(part, name, made, used)
            if field.name == "limits":
                found[field.name] = np.sign(found[field.name]).astype(int)
    return dataclasses.replace(noise, **found)


def _map_of_data(array: np.ndarray, where: str, made: Any, used: np.ndarray | None) -> np.ndarray:
    if made.bins is not None and array.ndim:
        counted = made.bins.labels if used is None else np.where(used, made.bins.labels, -1)
        array = per_bin(where, array, counted, made.bins.n)
    if array.shape not in ((), made.data.shape) or not np.all(np.isfinite(array[made.used] if array.ndim else array)):
        raise InputError(f"{where}: expected finite numbers wherever there are data, in their shape; correct that map.")
    return array


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
