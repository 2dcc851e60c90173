"""1-D arrays that belong together, checked at the edge."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.errors import InputError


def used_columns(used: np.ndarray | None, **columns: np.ndarray) -> list[np.ndarray]:
    """The used entries of named 1-D arrays, as float64, in the order given.

    Raises:
        InputError: when an array is not 1-D, shapes differ, nothing is used, or a used entry is not finite.
    """
    arrays = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    first, shape = next((name, array.shape) for name, array in arrays.items())
    if len(shape) != 1:
        raise InputError(f"{first}: expected a 1-D array, found shape {shape}; flatten maps first, with np.ravel.")
    mask = np.ones(shape, dtype=bool) if used is None else np.asarray(used)
    if mask.dtype != bool:
        raise InputError(f"used: expected booleans, found {mask.dtype}; give True for the pixels to use.")
    for name, array in {**arrays, "used": mask}.items():
        if array.shape != shape:
            raise InputError(f"{name}: expected the shape {shape} of {first}, found {array.shape}; give one per pixel.")
    if not mask.any():
        raise InputError(f"used: expected at least one True, found none among {mask.size}; check the mask.")
    for name, array in arrays.items():
        bad = int(np.sum(~np.isfinite(array[mask])))
        if bad:
            raise InputError(
                f"{name}: expected finite numbers, found {bad} used pixels without; set `used` to False there."
            )
    return [array[mask] for array in arrays.values()]


def require_positive(**columns: np.ndarray) -> None:
    """Refuses named arrays that are not > 0 everywhere.

    Raises:
        InputError: naming the array and its smallest entry.
    """
    for name, column in columns.items():
        if np.any(column <= 0):
            raise InputError(
                f"{name}: expected positive numbers, found {column.min():g}; set `used` to False where there is none."
            )
