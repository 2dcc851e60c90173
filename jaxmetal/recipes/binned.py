"""Maps that are constant in bins, reduced to one value per bin."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins

CONSTANT = 1e-4
"""Largest spread of a map within a bin, relative to the map's own spread."""


def as_bins(labels: Any, shape: tuple[int, int] | None) -> Bins:
    """Bins from a map of labels; negative labels are no bin, the others are numbered anew in ascending order.

    Args:
        labels: `Bins`, or whole numbers, shape (ny, nx).
        shape: expected (ny, nx), or None if the labels decide.

    Raises:
        InputError: if the labels are not whole numbers, not 2-D, of another shape, or all negative.
    """
    given = np.asarray(labels.labels if isinstance(labels, Bins) else labels)
    if given.ndim != 2 or (shape is not None and given.shape != shape):
        expected = "a 2-D map" if shape is None else f"the shape {shape} of the data"
        raise InputError(f"bins: expected {expected}, found shape {given.shape}; give one label per pixel.")
    if isinstance(labels, Bins):
        return labels
    whole = np.where(np.isfinite(given), given, -1) if given.dtype.kind == "f" else given
    if whole.dtype.kind not in "iuf" or np.any(whole != np.floor(whole)):
        raise InputError(
            f"bins: expected whole numbers, found {given.dtype} with fractions; give the map of bin labels."
        )
    if not np.any(whole >= 0):
        raise InputError(
            "bins: expected at least one label of 0 or more, found none; negative labels mean 'in no bin'."
        )
    names, numbered = np.unique(whole[whole >= 0], return_inverse=True)
    final = np.full(given.shape, -1)
    final[whole >= 0] = numbered
    return Bins(labels=final, n=len(names))


def per_bin(name: str, values: np.ndarray, bins: Bins) -> np.ndarray:
    """One value per bin, from a vector as it is or from a map that is constant in each bin; NaN where a bin has none.

    Raises:
        InputError: if the length or shape does not match, or the map varies within a bin.
    """
    labels = np.asarray(bins.labels)
    if values.ndim == 1:
        if len(values) != bins.n:
            raise InputError(
                f"{name}: expected one value for each of the {bins.n} bins, found {len(values)}; check the bin map."
            )
        return values
    if values.shape != labels.shape:
        raise InputError(
            f"{name}: expected the shape {labels.shape} of the bins, found {values.shape}; use maps of one grid."
        )
    inside = (labels >= 0) & np.isfinite(values)
    low, high = np.full(bins.n, np.inf), np.full(bins.n, -np.inf)
    np.minimum.at(low, labels[inside], values[inside])
    np.maximum.at(high, labels[inside], values[inside])
    filled = np.isfinite(low)
    spread = np.where(filled, high - np.where(filled, low, 0.0), 0.0)
    allowed = CONSTANT * max(np.ptp(values[inside]), float(np.max(np.abs(values[inside])))) if inside.any() else 0.0
    if np.any(spread > allowed):
        worst = int(np.argmax(spread))
        raise InputError(
            f"{name}: expected one value per bin, found a range of {spread[worst]:.3g} in bin {worst}; "
            "give the bin map that these data were made with."
        )
    return np.where(filled, low, np.nan)
