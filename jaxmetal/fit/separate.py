"""Which ends of climbs are maxima of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxmetal.fit.curvature import SMALL
from jaxmetal.fit.optimum import Optimum, highest

APART = 1.0
"""Distance from which two maxima are two, in standard deviations."""

DEEP = 20.0
"""How far below the highest a maximum may lie: its share of the posterior is its height times its volume."""


def separated(which: np.ndarray, ends: Sequence[Optimum]) -> tuple[list[int], list[Optimum]]:
    """The separated ends of each problem, in the order of the problems, the highest of each first.

    With more than `SMALL` numbers only the most promising climb goes to its end: the highest of each stands alone.

    Args:
        which: problem of each end, shape (count,).
        ends: of climbs.

    Returns:
        Problems and their ends.
    """
    problems, found = [], []
    for problem, top in zip(dict.fromkeys(which.tolist()), highest(which, ends), strict=True):
        kept = [top]
        for end in _below(top, [ends[int(i)] for i in np.flatnonzero(which == problem)]):
            # Scales are those of where the climbs began: what only one of them calls near is looked at again.
            if all(max(distances(end.vector, end.scaling, other.vector, other.scaling)) > APART for other in kept):
                kept.append(end)
        problems += [problem] * len(kept)
        found += kept
    return problems, found


def distances(vector: np.ndarray, factor: np.ndarray, other: np.ndarray, factor_of_other: np.ndarray) -> list[float]:
    """Of two maxima, as seen from either, in standard deviations; their factors are square roots of covariances."""
    return [float(np.linalg.norm(np.linalg.solve(one, vector - other))) for one in (factor, factor_of_other)]


def _below(top: Optimum, ends: Sequence[Optimum]) -> list[Optimum]:
    """Ends that may share the posterior with the highest, by height."""
    if top.vector.size > SMALL:
        return []
    near = [end for end in ends if end is not top and end.log_density > top.log_density - DEEP]
    return sorted(near, key=lambda end: -end.log_density)
