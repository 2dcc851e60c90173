"""The components of a mixture, sorted by the grid from which they are blurred: wide ones need no fine samples.

A Gaussian of variance v is one of variance p followed by one of variance v - p. The first, common to many components,
brings the samples to a coarser grid, the second takes them from there to the pixels. Between a sample and a pixel the
sum over the coarse grid, of step h, is a trapezoid rule over a Gaussian of variance s^2 = p (v - p) / v, whose relative
error is 2 exp(-2 pi^2 s^2 / h^2), the same in the peak and far in the wings; and all stays positive.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

STEPS = (1, 2, 4, 8)
"""Pixels per sample of the coarser grids."""

WIDE = 1.4
"""Least width of a component on a coarser grid, in its steps: with p = v / 2, s is half of it, the error 1.3e-4."""

ALONE, AMONG, BETWEEN = 7.5, 5.5, 5.0
"""Standard deviations beyond which a Gaussian is nothing: a single one (1e-13 of its peak), the widest of some among
wider ones, and one that only brings samples to a coarser grid (1e-6 of the light)."""


@dataclasses.dataclass(frozen=True)
class Level:
    """Components that are blurred from one grid.

    Attributes:
        step: pixels per sample of that grid; 0 for the samples of the scene themselves.
        components: which of the mixture's.
        reach: radius in pixels beyond which all of them are nothing.
        spread: radius in pixels beyond which the blur that brings samples to this grid is nothing.
    """

    step: int
    components: tuple[int, ...]
    reach: float
    spread: int = 0


def levels(least: Sequence[float], most: Sequence[float], density: float) -> tuple[Level, ...]:
    """Sorts components, the finest level first.

    Args:
        least: width of each component along the axis where that is fewer pixels.
        most: the same where it is more.
        density: samples per pixel and axis.
    """
    deep = ALONE if len(least) == 1 else AMONG
    steps = [0, *(step for step in STEPS if step * density >= 2.0)] if len(least) > 1 else [0]
    place = [max(step for step in steps if sigma >= WIDE * step) for sigma in least]
    found = []
    for step in sorted(set(place)):
        inside = tuple(k for k, other in enumerate(place) if other == step)
        reach = 1 + math.ceil(deep * max(most[k] for k in inside))
        spread = 1 + math.ceil(BETWEEN * min(most[k] for k in inside) / math.sqrt(2.0)) if step else 0
        found.append(Level(step, inside, reach, spread))
    return tuple(found)
