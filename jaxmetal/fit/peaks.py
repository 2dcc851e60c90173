"""The maximum of each posterior and the Gaussian around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.edge.errors import InputError
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import periods, recut
from jaxmetal.fit.branches import shared
from jaxmetal.fit.curvature import SMALL, rescale
from jaxmetal.fit.laplace import Laplace, laplace
from jaxmetal.fit.optimum import ABOVE, Optimum, Status, highest, maximise
from jaxmetal.fit.problem import Problem, constrain, pick, priors_of
from jaxmetal.fit.rows import place
from jaxmetal.fit.separate import APART, distances, separated
from jaxmetal.fit.start import starts
from jaxmetal.fit.student import StudentMixture
from jaxmetal.meaning.circles import at_home

LEAST = 1e-3
"""Share of the posterior below which a maximum is nothing."""


class Peak(NamedTuple):
    """A maximum of a posterior and the Gaussian around it.

    Attributes:
        best: parameters at the maximum.
        log_posterior: there.
        status: of the optimiser.
        gaussian: the Laplace approximation.
        others: separated maxima that share the posterior with it; none is higher.
    """

    best: dict[str, np.ndarray]
    log_posterior: float
    status: Status
    gaussian: Laplace
    others: tuple[Peak, ...] = ()

    @property
    def gaussians(self) -> list[Laplace]:
        """Around all maxima, this one first."""
        return [self.gaussian, *(other.gaussian for other in self.others)]

    @property
    def shares(self) -> np.ndarray:
        """Of the posterior: the masses of the Gaussians over their sum."""
        masses = np.array([one.log_evidence for one in self.gaussians])
        return np.exp(masses - np.logaddexp.reduce(masses))

    @property
    def log_evidence(self) -> float:
        """log of the sum of their masses."""
        return float(np.logaddexp.reduce([one.log_evidence for one in self.gaussians]))

    @property
    def student(self) -> StudentMixture:
        """A t around each maximum, weighed by mass."""
        modes, factors = (np.stack([getattr(one, name) for one in self.gaussians]) for name in ("mode", "factor"))
        return StudentMixture(shared([one.log_evidence for one in self.gaussians]), modes, factors)


def find_peaks(
    problems: Problem,
    seeds: Sequence[SeedSequence],
    start_count: int = 3,
    given: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> tuple[Problem, list[Peak | InputError]]:
    """MAP from several starts, the mode of the unconstrained density next to it, and the Laplace approximation there.

    Starts that end in separated maxima find them all.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        start_count: starts of the optimiser.
        given: see `fit.start.starts`.
        progress: show how the climbs go.

    Returns:
        The problems with their circles cut opposite to the maxima, in whose vectors the approximations are; and for
        each its peak, or why there is none: the density is not finite at any start.
    """
    begun = starts(problems, seeds, start_count, given)
    which, first = begun.which, begun.points
    cut = recut(problems, first[begun.leaders], which, first)
    ends = maximise(cut.problems, which, cut.points, 0.0, progress=progress)
    finite = np.array([bool(np.isfinite(end.log_density)) for end in ends])
    places, tops = separated(which[finite], [end for end, good in zip(ends, finite, strict=True) if good])
    now, tops = _centred(cut.problems, highest(which, ends), places, tops)
    found: dict[int, list[Peak]] = {}
    for i, peak in zip(places, _around(now, problems, places, tops) if tops else [], strict=True):
        found.setdefault(i, []).append(peak)
    return _released(now), [
        _together(found[i]) if i in found else InputError(_not_finite(pick(problems, i), first[i * start_count]))
        for i in range(len(seeds))
    ]


def _together(peaks: list[Peak]) -> Peak:
    """The highest, with those of the others that are maxima of their own and share the posterior with it."""
    first, *rest = sorted(peaks, key=lambda peak: -peak.log_posterior)
    kept = [first]
    for one in rest:
        if one.status == Status.CONVERGED and all(_apart(one.gaussian, other.gaussian) for other in kept):
            kept.append(one)
    shares = first._replace(others=tuple(kept[1:])).shares
    return first._replace(others=tuple(one for one, share in zip(kept[1:], shares[1:], strict=True) if share >= LEAST))


def _apart(one: Laplace, other: Laplace) -> bool:
    return min(distances(one.mode, one.factor, other.mode, other.factor)) > APART


def _centred(
    problems: Problem, centres: list[Optimum], which: list[int], tops: list[Optimum]
) -> tuple[Problem, list[Optimum]]:
    """Circles cut opposite to the angles of the highest maxima: what ended near a cut climbs on beyond it."""
    if not tops:
        return problems, tops
    places, vectors = np.array(which), np.stack([top.vector for top in tops])
    cut = recut(problems, np.stack([top.vector for top in centres]), places, vectors)
    ends = [top._replace(vector=vector) for top, vector in zip(tops, cut.points, strict=True)]
    far = np.flatnonzero(cut.moved)
    if far.size:
        for i, end in zip(far, maximise(cut.problems, places[far], cut.points[far], 0.0), strict=True):
            ends[i] = end
    return cut.problems, ends


def _around(problems: Problem, first: Problem, which: list[int], tops: list[Optimum]) -> list[Peak]:
    """Maxima with their surroundings; angles as the priors of the first problems have them."""
    places = np.array(which)
    summits, scaling = (np.stack([getattr(top, name) for top in tops]) for name in ("vector", "scaling"))
    if summits.shape[1] <= SMALL:
        # The scale of a distant start is poor: it is taken anew at the maximum, and once more at the mode.
        scaling = rescale(problems, places, summits, 1.0, scaling)
    gaussians = laplace(problems, which, maximise(problems, places, summits, 1.0, scaling))
    tops = _climbed_further(problems, places, tops, np.stack([one.mode for one in gaussians]))
    gaussians = [_widened(one, np.asarray(problems.held)[i]) for one, i in zip(gaussians, which, strict=True)]
    bests = evaluate.parameters(problems, which, np.stack([top.vector for top in tops])[:, None, None])
    angles, sites = periods(problems.skeleton), {i: priors_of(first, i) for i in set(which)}
    return [
        Peak(
            {name: at_home(value[0, 0], sites[i][name], angles.get(name)) for name, value in best.items()},
            top.log_density,
            top.status,
            gaussian,
        )
        for i, best, top, gaussian in zip(which, bests, tops, gaussians, strict=True)
    ]


def _climbed_further(problems: Problem, places: np.ndarray, tops: list[Optimum], modes: np.ndarray) -> list[Optimum]:
    """Maxima; where the mode that was found from one lies above it, the maximum next to the mode."""
    heights, _ = evaluate.gradients(problems, places, modes, 0.0)
    far = np.flatnonzero(heights > np.array([top.log_density for top in tops]) + ABOVE)
    if not far.size:
        return tops
    higher = dict(zip(far.tolist(), maximise(problems, places[far], modes[far], 0.0), strict=True))
    return [higher.get(i, top) for i, top in enumerate(tops)]


def _released(problems: Problem) -> Problem:
    """Problems in which nothing is held any longer."""
    return dataclasses.replace(problems, held=place(np.zeros_like(problems.held)))


def _widened(gaussian: Laplace, held: np.ndarray) -> Laplace:
    """A Gaussian about a maximum, as wide as the priors along what was held there.

    The columns of a square root of a covariance belong to no number: it is the covariance that is changed.
    """
    along = np.flatnonzero(held > 0)
    if not along.size:
        return gaussian
    factor = np.asarray(gaussian.factor, float)
    covariance = factor @ factor.T
    covariance[along], covariance[:, along] = 0.0, 0.0
    covariance[along, along] = 1.0
    return gaussian._replace(factor=np.linalg.cholesky(covariance).astype(gaussian.factor.dtype))


def _not_finite(problem: Problem, vector: Any) -> str:
    values = constrain(problem.sites, vector)[0]
    bad = [name for name, value in values.items() if not np.all(np.isfinite(np.asarray(value)))]
    where = (
        f"parameters {', '.join(bad)} are not finite"
        if bad
        else "all parameters are finite, so look at the data, sigma and fixed numbers"
    )
    return (
        f"The posterior is not finite at any start: {where}; "
        "print `jaxmetal.typical(prior)` to see where the fit starts."
    )
