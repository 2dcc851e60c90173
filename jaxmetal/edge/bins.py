"""Maps of bins, and maps that are constant in each bin."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError

CONSTANT = 1e-4
"""Largest spread within a bin, over the largest size or the range of the map, whichever is more: single precision,
rounded once more where a large number was subtracted from all."""


def numbered(name: str, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels numbered anew from 0, in ascending order, -1 for no bin; and what each bin was called.

    Args:
        name: of the map, for sentences.
        labels: whole numbers, shape (ny, nx); negative ones and NaN mean no bin.

    Raises:
        InputError: if the labels are not 2-D, no whole numbers or too large to be told apart, or no pixel is in a bin.
    """
    given = np.asarray(labels)
    if given.ndim != 2:
        raise InputError(f"{name}: expected a 2-D map, found shape {given.shape}; give one label per pixel.")
    whole = np.where(np.isfinite(given), given, -1) if given.dtype.kind == "f" else given
    if whole.dtype.kind not in "iuf" or np.any(whole != np.floor(whole)):
        example = f" such as {whole[whole != np.floor(whole)][0]}" if whole.dtype.kind == "f" else ""
        raise InputError(f"{name}: expected whole numbers, found {given.dtype}{example}; give the map of bin labels.")
    bits = 53 if whole.dtype.kind == "f" else 63  # beyond that, floats hold one number for several labels
    if whole.max() >= 2.0**bits:
        raise InputError(f"{name}: expected labels below 2^{bits}, found {whole.max():g}; number the bins from 0.")
    inside = whole >= 0
    if not inside.any():
        raise InputError(f"{name}: expected a label of 0 or more, found no pixel in a bin; check the map.")
    ids, places = np.unique(whole[inside].astype(np.int64), return_inverse=True)
    final = np.full(given.shape, -1, np.int32)
    final[inside] = places
    return final, ids


def per_bin(name: str, values: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """One value per bin, from a vector as it is or from a map that is constant in each bin; NaN where a bin has none.

    Args:
        name: of the map, for sentences.
        values: shape (n,) or (ny, nx); what is not finite is passed over.
        labels: bin of each pixel, from 0, negative in none; shape (ny, nx).
        n: number of bins.

    Raises:
        InputError: if the length or shape does not match, or the map varies within a bin.
    """
    values, labels = np.asarray(values, float), np.asarray(labels)
    if values.ndim == 1:
        if len(values) != n:
            raise InputError(
                f"{name}: expected one value for each of the {n} bins, found {len(values)}; check the bin map."
            )
        return values
    if values.shape != labels.shape:
        raise InputError(
            f"{name}: expected the shape {labels.shape} of the bins, found {values.shape}; use maps of one grid."
        )
    known = (labels >= 0) & np.isfinite(values)
    where, what = labels[known], values[known]
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, where, what)
    np.maximum.at(high, where, what)
    filled = np.isfinite(low)
    low = np.where(filled, low, np.nan)
    _require_constant(name, np.where(filled, high - low, 0.0), what)
    # The mean about each bin's minimum: a constant bin keeps its value to the last digit.
    count = np.maximum(np.bincount(where, minlength=n), 1)
    return low + np.bincount(where, weights=what - low[where], minlength=n) / count


def _require_constant(name: str, spread: np.ndarray, values: np.ndarray) -> None:
    size = max(float(np.abs(values).max()), float(np.ptp(values))) if values.size else 0.0
    uneven = spread > CONSTANT * size
    if uneven.any():
        worst = int(np.argmax(spread))
        raise InputError(
            f"{name}: expected one value per bin, found several in {uneven.sum()} of {len(spread)} bins (a range of "
            f"{spread[worst]:.3g} in bin {worst}); give the bin map that these data were made with."
        )
