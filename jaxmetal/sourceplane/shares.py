"""Which fraction of each pixel lies in each of several areas, from small parts of pixels."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def parts_of(values: np.ndarray, fine: int) -> np.ndarray:
    """A map (ny, nx) on the parts of its pixels, (ny fine, nx fine)."""
    return np.repeat(np.repeat(values, fine, axis=0), fine, axis=1)


def shares_of(number: np.ndarray, inside: np.ndarray, fine: int, count: int) -> csr_array:
    """Fraction of each pixel in each area, shape (count, pixels of the flattened map).

    Args:
        number: which area a part of a pixel lies in, of the parts inside.
        inside: parts that lie in one, shape (ny fine, nx fine).
        fine: parts along each side of a pixel.
        count: how many areas there are.
    """
    ny, nx = (side // fine for side in inside.shape)
    pixel = parts_of(np.arange(ny * nx).reshape(ny, nx), fine)[inside]
    return csr_array((np.full(pixel.size, 1.0 / fine**2), (number, pixel)), shape=(count, ny * nx))
