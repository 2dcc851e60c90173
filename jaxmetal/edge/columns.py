"""1-D arrays that belong together."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.arrays import as_mask, floats, require_finite, require_shape
from jaxmetal.edge.errors import InputError


def used_columns(used: np.ndarray | None, **columns: np.ndarray) -> list[np.ndarray]:
    """The used entries of named 1-D arrays, as float64, in the order given; an infinite `sigma` is used nowhere.

    Raises:
        InputError: when an array is not 1-D, shapes differ, nothing is used, or a used entry is not finite.
    """
    arrays = {name: floats(name, column) for name, column in columns.items()}
    first, shape = next((name, array.shape) for name, array in arrays.items())
    if len(shape) != 1:
        raise InputError(f"{first}: expected a 1-D array, found shape {shape}; flatten maps first, with np.ravel.")
    for name, array in arrays.items():
        require_shape(name, array, shape)
    mask = as_mask(used, shape)
    if "sigma" in arrays:
        mask = as_mask(mask & ~np.isposinf(arrays["sigma"]), shape)
    for name, array in arrays.items():
        require_finite(name, array, mask)
    return [array[mask] for array in arrays.values()]
