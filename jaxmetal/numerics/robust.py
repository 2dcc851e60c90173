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
