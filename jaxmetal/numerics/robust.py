"""Statistics that a few wild numbers do not change."""

from __future__ import annotations

from typing import Any

import numpy as np


def robust_scatter(values: Any) -> float:
    """1.4826 median |x - median(x)|: the standard deviation where most numbers x are drawn from a normal distribution.

    Args:
        values: of any shape, not empty.
    """
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Where half of the weights lie below, that of each value half below itself; with equal weights the median.

    Args:
        values: shape (n,).
        weights: of each, 0 or more, likewise.

    Returns:
        The median; NaN of nothing.
    """
    if not values.size:
        return float("nan")
    order = np.argsort(values)
    weights = weights[order]
    return float(np.interp(0.5, (np.cumsum(weights) - 0.5 * weights) / weights.sum(), values[order]))
