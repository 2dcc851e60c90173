"""Tests of residuals against what the noise alone would have left.

Every statistic is taken of the data and of the sets that the noise drew around the same prediction (`Judged`), so that
outliers, correlations and limits that a noise allows for are no misfit. A fit bends towards its data and the sets were
not fitted: what they say is never too strict, and where it might be (errors that are too large) parameters are counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from jaxmetal.result.judged import Judged

CLIPPED = 5.0
"""Residuals are clipped at this many standard deviations before patterns are looked for: one datum is no pattern."""

RINGS, IN_RING = 8, 8
"""Most rings of equal light, and fewest data of one on average."""

ACROSS = 5.0
"""Widths of the widest smoothing across the shorter side of a map."""


class Score(NamedTuple):
    """What a test says.

    Attributes:
        size: as standard deviations of a normal distribution; positive where the fit is poor.
        text: what is then wrong, the size in it.
    """

    size: float
    text: str


class Layout(NamedTuple):
    """Where the data of an observation lie.

    Attributes:
        used: boolean, of the data's shape.
        light: predicted, likewise.
        labels: map of the bin of each pixel, -1 for none; None where data are pixels.
        planes: name and index of each map among the data, the name "" where there is one.
        on_map: whether they are maps, with neighbours and light.
    """

    used: np.ndarray
    light: np.ndarray
    labels: np.ndarray | None
    planes: tuple[tuple[str, Any], ...] = (("", ...),)
    on_map: bool = True


def limit(false_alarms: float, tests: int, drawn: int) -> float:
    """The size that one of several tests exceeds with the probability `false_alarms` / `tests` (Bonferroni).

    Mean and scatter of a test's statistic are known from `drawn` sets, hence Student's t.
    """
    return float(-stdtrit(drawn - 1, false_alarms / tests) * np.sqrt(1.0 + 1.0 / drawn))


def totals(seen: Judged, free: int) -> tuple[float, float]:
    """How much smaller and larger than expected the log-likelihood of the data is, in standard deviations.

    Args:
        seen: the observation.
        free: number of free parameters, which bring -ln L down by half of it at most.
    """
    excess = -_stacked(seen.log_likelihood, seen.redrawn_log_likelihood).reshape(1 + len(seen.redrawn_residual), -1)
    excess = (excess - excess[1:].mean(axis=0)).sum(axis=1)
    # -ln L of N Gaussian data is a constant and a gamma variate of shape N/2, its variance, and scale 1.
    positive = excess + np.var(excess[1:], ddof=1)
    above = normal_score(positive)
    positive[0] += 0.5 * free
    return above, -normal_score(positive)


def patterns(seen: Judged, layout: Layout) -> list[Score]:
    """Tests of residuals that are alike on the sky, follow the light, or belong to a single datum."""
    residuals = np.clip(_stacked(seen.residual, seen.redrawn_residual), -CLIPPED, CLIPPED)
    found = []
    for name, index in layout.planes:
        one, inside = residuals[:, index], layout._replace(used=layout.used[index], light=layout.light[index])
        of = f"in '{name}' " if name else ""
        found += [score._replace(text=of + score.text) for score in (*_neighbours(one, inside), *_rings(one, inside))]
    return [*found, _single(seen, layout)]


def _neighbours(residuals: np.ndarray, layout: Layout) -> list[Score]:
    """Spatial autocorrelation: the share of the power that smoothing by Gaussians of several widths leaves."""
    if not layout.on_map:
        return []
    if layout.labels is not None:
        residuals = np.where(layout.labels < 0, 0.0, residuals[:, np.maximum(layout.labels, 0)])
    widest = np.log2(max(2.0, min(residuals.shape[1:]) / ACROSS))
    found = []
    for width in 2.0 ** np.arange(np.floor(widest) + 1.0):
        size = normal_score(smoothed_share(residuals, width))
        found.append(Score(size, f"neighbouring residuals are alike, smoothed by {width:.0f} px ({size:.0f} sd)"))
    return found


def smoothed_share(maps: np.ndarray, width: float) -> np.ndarray:
    """Sum of squares after smoothing over that before, the edges joined to the opposite ones.

    Args:
        maps: shape (count, ny, nx).
        width: of the Gaussian, pixels.
    """
    _, ny, nx = maps.shape
    frequency = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.rfftfreq(nx))
    twice = np.where((np.arange(nx // 2 + 1) > 0) & (2 * np.arange(nx // 2 + 1) < nx), 2.0, 1.0)
    power = twice * np.abs(np.fft.rfft2(maps)) ** 2  # a real transform leaves out the other half of the frequencies
    kept = np.sum(power * np.exp(-((2.0 * np.pi * width * frequency) ** 2)), axis=(1, 2))
    return kept / np.maximum(power.sum(axis=(1, 2)), np.finfo(float).tiny)


def _rings(residuals: np.ndarray, layout: Layout) -> list[Score]:
    """Residuals and chi2 in rings of equal light: by radius, wherever a source's centre is and whatever bends it."""
    used = np.flatnonzero(layout.used)
    count = min(RINGS, used.size // IN_RING)
    if count < 2 or not layout.on_map:
        return []
    ordered = used[np.argsort(-np.ravel(layout.light)[used], kind="stable")]
    flat, rings = residuals.reshape(len(residuals), -1), np.array_split(ordered, count)
    means = np.stack([flat[:, ring].sum(axis=1) / np.sqrt(ring.size) for ring in rings], axis=1)
    squares = np.stack([np.square(flat[:, ring]).sum(axis=1) for ring in rings], axis=1)
    follow = normal_score(np.square(means).sum(axis=1) / np.maximum(squares.sum(axis=1), np.finfo(float).tiny))
    even = np.cbrt(squares)  # nearly normal, as in `normal_score`
    above = (even - even[1:].mean(axis=0)) / np.maximum(even[1:].std(axis=0, ddof=1), np.finfo(float).tiny)
    high = normal_score(np.square(np.maximum(above, 0.0)).sum(axis=1))
    worst = int(np.argmax(above[0]))
    where = f"ring {worst + 1} of {count} from the brightest" if worst > 0 else "the brightest ring"
    return [
        Score(follow, f"residuals change along rings of equal light ({follow:.0f} sd)"),
        Score(high, f"chi2 is too large in rings of equal light, most in {where} ({high:.0f} sd)"),
    ]


def _single(seen: Judged, layout: Layout) -> Score:
    """The datum that the others expect least."""
    likely = _stacked(seen.log_likelihood, seen.redrawn_log_likelihood)
    unlikely = likely[1:].mean(axis=0) - likely
    worst = unlikely.reshape(len(likely), -1).max(axis=1)
    # The largest of many terms with exponential tails follows a Gumbel distribution.
    sd = max(float(worst[1:].std(ddof=1)), np.finfo(float).tiny)
    height = np.pi / np.sqrt(6.0) * (worst[0] - worst[1:].mean()) / sd + np.euler_gamma
    size = float(-ndtri(np.clip(-np.expm1(-np.exp(-height)), ndtr(-37.0), 1.0 - 1e-16)))
    place = np.unravel_index(int(np.argmax(unlikely[0])), unlikely.shape[1:])
    off = float(np.nan_to_num(np.asarray(seen.residual)[place]))
    names = [name for name, _ in layout.planes]
    index = ", ".join([f"'{names[place[0]]}'", *map(str, place[1:])] if all(names) else map(str, place))
    return Score(size, f"the datum [{index}] is {off:+.1f} sigma off")


def _stacked(data: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The data's values before those of the drawn sets; 0 where there are none."""
    return np.nan_to_num(np.concatenate([np.asarray(data, float)[None], np.asarray(drawn, float)]))


def normal_score(values: np.ndarray) -> float:
    """The first of positive values as a normal score, where the others are gamma variates (Wilson & Hilferty 1931)."""
    mean, variance = values[1:].mean(), values[1:].var(ddof=1)
    if not (mean > 0.0 and variance > 1e-24 * mean**2):  # nothing scatters: all are limits, or there is one datum
        return 0.0
    width = variance / (9.0 * mean**2)
    return float((np.cbrt(values[0] / mean) - (1.0 - width)) / np.sqrt(width))
