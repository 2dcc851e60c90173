"""Maxima that the draws of a fit leave out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.findings import Finding
from jaxmetal.fit.method import Solution
from jaxmetal.fit.peaks import Peak
from jaxmetal.fit.problem import parts
from jaxmetal.fit.separate import APART
from jaxmetal.meaning.circles import Periods, unwrap

ELSEWHERE = 0.25
"""Part of its share of the posterior below which a maximum counts as left out."""


SAME_ANGLE = 0.05
"""Part of their period by which the angles of one maximum, seen a turn apart, may differ."""


def left_out(solution: Solution, sites: Mapping[str, Distribution], periods: Periods) -> list[Finding]:
    """A finding for every separated maximum that the starts found, holds part of the posterior, and has no draws.

    Args:
        solution: with draws, or a best value alone.
        sites: free parameters and their priors.
        periods: of those that are angles: what lies whole turns away is not left out.
    """
    peak = solution.peak
    return [
        Finding(
            "warning",
            f"Another maximum was found, which holds about {_percent(share)} of the posterior, and "
            f"{_spelled(visits)} of the draws lie near it: {_where(peak, other)}. Fit with method 'laplace', or narrow "
            "the priors to one of them.",
        )
        for other, share, visits in zip(peak.others, peak.shares[1:], _visited(solution)[1:], strict=True)
        if visits < ELSEWHERE * share and not _turned(peak, other, parts(sites), periods)
    ]


def _visited(solution: Solution) -> np.ndarray:
    """Shares of the draws that lie nearest to each maximum in its standard deviations.

    Draws without chains are those of the Gaussians, by their masses, or the best value alone.
    """
    gaussians = solution.peak.gaussians
    if solution.sampler is None:
        alone = all(np.size(values[0]) == np.size(values[0, 0]) for values in solution.draws.values())
        return np.eye(len(gaussians))[0] if alone else solution.peak.shares
    vectors = solution.sampler.vectors.reshape(-1, gaussians[0].mode.size)
    away = [np.linalg.norm(np.linalg.solve(one.factor, (vectors - one.mode).T), axis=0) for one in gaussians]
    return np.bincount(np.argmin(away, axis=0), minlength=len(gaussians)) / len(vectors)


def _turned(peak: Peak, other: Peak, places: Mapping[str, slice], periods: Periods) -> bool:
    """Whether a maximum is the other one with angles turned by whole periods."""
    away = np.abs(other.gaussian.mode - peak.gaussian.mode) / np.linalg.norm(peak.gaussian.factor, axis=1)
    if any(np.any(away[place] > APART) for name, place in places.items() if name not in periods):
        return False
    folded = unwrap(other.best, peak.best, periods)
    return all(
        np.all(np.abs(folded[name] - peak.best[name]) < SAME_ANGLE * np.asarray(periods[name]))
        for name in places
        if name in periods
    )


def _spelled(share: float) -> str:
    return "none" if share == 0.0 else _percent(share)


def _percent(share: float) -> str:
    return f"{100 * share:.{2 if share < 0.1 else 3}g} %"


def _where(peak: Peak, other: Peak) -> str:
    """The number that differs most, over its size, there and here."""
    pairs = [
        (name, float(there), float(here))
        for name, values in other.best.items()
        for there, here in zip(np.ravel(values), np.ravel(peak.best[name]), strict=True)
    ]
    name, there, here = max(pairs, key=lambda pair: abs(pair[1] - pair[2]) / max(abs(pair[1]), abs(pair[2]), 1e-300))
    return f"'{name}' is {there:.4g} there and {here:.4g} at the highest"
