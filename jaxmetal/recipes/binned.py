"""Bins from maps of labels."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.bins import numbered
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins


def as_bins(labels: Any, shape: tuple[int, int] | None) -> Bins:
    """Bins from a map of labels; negative labels are no bin, the others are numbered anew in ascending order.

    Args:
        labels: `Bins`, or whole numbers, shape (ny, nx).
        shape: expected (ny, nx), or None if the labels decide.

    Raises:
        InputError: if the labels are not whole numbers, not 2-D, of another shape, or all negative; or those of `Bins`
            are not from -1 to n - 1.
    """
    found = np.shape(labels.labels if isinstance(labels, Bins) else labels)
    if shape is not None and found != shape:
        raise InputError(
            f"bins: expected the shape {shape} of the data, found shape {found}; give one label per pixel."
        )
    if isinstance(labels, Bins):
        _require_numbered(labels)
        return labels
    final, ids = numbered("bins", labels)
    return Bins(labels=final, n=len(ids))


def _require_numbered(bins: Bins) -> None:
    """Refuses bins whose labels are not integers from -1 to n - 1 on a map."""
    labels = np.asarray(bins.labels)
    require_count("n of bins", bins.n, 1)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels of bins: expected a 2-D map of integers, found {labels.dtype} of shape {labels.shape}; "
            "give the map of labels alone, or convert it by `astype(int)`."
        )
    low, high = (labels.min(), labels.max()) if labels.size else (-1, -1)
    if low < -1 or high >= bins.n:
        raise InputError(
            f"labels of bins: expected -1 to {bins.n - 1} with n = {bins.n}, found {low} to {high}; number the bins "
            "from 0, or give the map of labels alone, which is numbered anew."
        )


def require_filled(bins: Bins | None, used: np.ndarray) -> None:
    """Refuses bins of no pixel whose data are used: nothing could be predicted there.

    Args:
        bins: of pixels; None where pixels are the data.
        used: boolean, shape (n,), or (features, n).

    Raises:
        InputError: naming the first such bin.
    """
    if bins is None:
        return
    labels = np.asarray(bins.labels)
    empty = np.bincount(labels[labels >= 0], minlength=bins.n) == 0
    wanted = np.flatnonzero(empty & used.reshape(-1, bins.n).any(axis=0))
    if wanted.size:
        raise InputError(
            f"bins: expected a pixel in each of the {bins.n} bins with data, found none in {wanted.size} of them, the "
            f"first bin {wanted[0]}; correct n, or set `used` to False there."
        )


def of_used(bins: Bins, used: np.ndarray) -> Bins:
    """Bins without the pixels that are not used; one that has no other keeps them.

    Args:
        bins: of pixels.
        used: boolean, shape (ny, nx).
    """
    labels = np.asarray(bins.labels)
    inside = labels >= 0
    left = np.bincount(labels[inside & used], minlength=bins.n) > 0
    return dataclasses.replace(bins, labels=np.where(inside & ~used & left[labels], -1, labels))
