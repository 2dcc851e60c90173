"""Bins from maps of labels."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.bins import numbered
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins


def as_bins(labels: Any, shape: tuple[int, int] | None) -> Bins:
    """Bins from a map of labels; negative labels are no bin, the others are numbered anew in ascending order.

    Args:
        labels: `Bins`, or whole numbers, shape (ny, nx).
        shape: expected (ny, nx), or None if the labels decide.

    Raises:
        InputError: if the labels are not whole numbers, not 2-D, of another shape, or all negative.
    """
    found = np.shape(labels.labels if isinstance(labels, Bins) else labels)
    if shape is not None and found != shape:
        raise InputError(
            f"bins: expected the shape {shape} of the data, found shape {found}; give one label per pixel."
        )
    if isinstance(labels, Bins):
        return labels
    final, ids = numbered("bins", labels)
    return Bins(labels=final, n=len(ids))


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
