"""Columns of a sample, one entry per galaxy, checked at the edge."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError


def words(name: str) -> str:
    """A column's name as words, for axes: "disc metallicity slope per kpc" of "disc.metallicity.slope_per_kpc"."""
    return name.replace("r_eff", "effective radius").replace(".", " ").replace("_", " ").strip()


def column(name: str, values: Any, unit: str = "") -> np.ndarray:
    """One finite number per galaxy, of quantities in a unit; masked entries are none.

    Raises:
        InputError: if it is anything else.
    """
    array = floats(name, values, unit)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise InputError(
            f"{name}: expected one finite number per galaxy, found {int((~np.isfinite(array)).sum())} others in "
            f"shape {array.shape}; leave out galaxies without one."
        )
    return array


def errors(name: str, values: Any, shape: tuple[int, ...], zero: bool = False, unit: str = "") -> np.ndarray:
    """Finite errors above 0, or with `zero` from 0 on, in the shape of what they belong to.

    Raises:
        InputError: if they are anything else.
    """
    array = alike(name, floats(name, values, unit), shape)
    wrong = array[~(np.isfinite(array) & ((array >= 0.0) if zero else (array > 0.0)))]
    if wrong.size:
        least = "from 0 on" if zero else "above 0"
        raise InputError(f"{name}: expected finite errors {least}, found {wrong[0]:g}; correct them.")
    return array


def signs(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Which entries are upper limits (1) and lower limits (-1), in the shape of what they belong to.

    Raises:
        InputError: if they are neither booleans nor these numbers, or some are masked.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "bi" or np.ma.is_masked(values) or not np.isin(array, (-1, 0, 1)).all():
        found = "masked ones" if np.ma.is_masked(values) else f"{array.dtype} {np.unique(array)[:3].tolist()}"
        raise InputError(
            f"{name}: expected booleans, or 1 for upper and -1 for lower limits, found {found}; write e.g. `flags > 0`."
        )
    return alike(name, array.astype(int), shape)


def number(name: str, value: Any) -> float:
    """One finite number.

    Raises:
        InputError: if it is anything else.
    """
    found = floats(name, value)
    if found.ndim or not np.isfinite(found):
        raise InputError(f"{name}: expected one finite number, found {value!r}; correct it.")
    return float(found)


def alike(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array in another's shape.

    Raises:
        InputError: if it cannot be broadcast to it.
    """
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise InputError(f"{name}: expected the shape {shape}, found {values.shape}; match them.") from None
