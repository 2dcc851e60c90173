"""Masks and data-quality planes: which pixels are used."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.io.fits import Hdu, Map, read_map


def read_used(
    mask: str | Path | Map,
    sense: Literal["use", "reject"],
    bad_bits: int | None = None,
    *,
    shape: tuple[int, int] | None = None,
    hdu: Hdu = None,
) -> np.ndarray:
    """Reads which pixels are used, shape (ny, nx), bool.

    Args:
        mask: FITS file, or the map in one.
        sense: what a value other than 0 means: "use" or "reject". There is no default: both are common.
        bad_bits: sum of the flags of a data-quality plane that reject a pixel; other flags are ignored.
        shape: (ny, nx) that the data have.
        hdu: name or number of the extension.

    Returns:
        True for used pixels; a pixel whose mask is NaN is not used.

    Raises:
        InputError: for an unknown sense, flags that are no integers, another shape, or if no pixel is left.
    """
    if sense not in ("use", "reject"):
        raise InputError(f"sense must be 'use' or 'reject' (what a mask's 1 means), but is {sense!r}; state which.")
    if bad_bits is not None and sense == "use":
        raise InputError("bad_bits names flags that reject a pixel, but sense is 'use'; use sense='reject'.")
    read = mask if isinstance(mask, Map) else read_map(mask, hdu, what="mask")
    path, values = read.path, read.values
    if shape is not None and values.shape != tuple(shape):
        text = f"must have the data's shape {tuple(shape)}, but has {values.shape}"
        raise InputError(f"The mask {path} {text}; use the mask of these data.")
    known = np.isfinite(values)
    marked = np.where(known, values, 0) != 0 if bad_bits is None else _flagged(path, values, known, bad_bits)
    used = known & (marked if sense == "use" else ~marked)
    if not used.any():
        text = f"must leave pixels to use, but leaves none of {used.size} with sense='{sense}'"
        raise InputError(f"The mask {path} {text}; check what its 1 means.")
    return used


def _flagged(path: str | Path, values: np.ndarray, known: np.ndarray, bad_bits: int) -> np.ndarray:
    """Whether a pixel has any of the bad flags."""
    if not isinstance(bad_bits, int) or bad_bits <= 0:
        raise InputError(
            f"bad_bits must be a positive integer, the sum of the bad flags, but is {bad_bits!r}; correct it."
        )
    flags = np.where(known, values, 0)
    if (flags != np.round(flags)).any() or flags.min() < 0 or flags.max() >= 2.0**63:
        raise InputError(
            f"The mask {path} must hold flags (integers from 0 to 2^63) for bad_bits, but does not; check it."
        )
    return (flags.astype(np.int64) & bad_bits) != 0
