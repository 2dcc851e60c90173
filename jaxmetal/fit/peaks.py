"""The maximum of each posterior and the Gaussian around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.random import SeedSequence
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import periods, recut
from jaxmetal.fit.curvature import SMALL, rescale
from jaxmetal.fit.laplace import Laplace, laplace
from jaxmetal.fit.optimum import Optimum, Status, highest, maximise
from jaxmetal.fit.problem import Problem, constrain, pick
from jaxmetal.fit.start import starts
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.prior import at_home


class Peak(NamedTuple):
    """The maximum of a posterior and the Gaussian around it.

    Attributes:
        best: parameters at the maximum.
        log_posterior: there.
        status: of the optimiser.
        gaussian: the Laplace approximation.
    """

    best: dict[str, np.ndarray]
    log_posterior: float
    status: Status
    gaussian: Laplace


def find_peaks(
    problems: Problem, seeds: Sequence[SeedSequence], start_count: int = 3, given: Mapping[str, Any] | None = None
) -> tuple[Problem, list[Peak | InputError]]:
    """MAP from several starts, the mode of the unconstrained density next to it, and the Laplace approximation there.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        start_count: starts of the optimiser.
        given: see `fit.start.starts`.

    Returns:
        The problems with their circles cut opposite to the maxima, in whose vectors the approximations are; and for
        each its peak, or why there is none: the density is not finite at any start.
    """
    begun = starts(problems, seeds, start_count, given)
    which, first = begun.which, begun.points
    cut = recut(problems, first[begun.leaders], which, first)
    tops = highest(which, maximise(cut.problems, which, cut.points, 0.0))
    now, tops = _centred(cut.problems, tops)
    good = [i for i, top in enumerate(tops) if np.isfinite(top.log_density)]
    found = dict(zip(good, _around(now, problems.priors, good, [tops[i] for i in good]), strict=True)) if good else {}
    return now, [
        found[i] if i in found else InputError(_not_finite(pick(problems, i), first[i * start_count]))
        for i in range(len(tops))
    ]


def _centred(problems: Problem, tops: list[Optimum]) -> tuple[Problem, list[Optimum]]:
    """Maxima whose angles stand opposite to the cuts of their circles: what ended near a cut climbs on beyond it."""
    vectors, which = np.stack([top.vector for top in tops]), np.arange(len(tops))
    cut = recut(problems, vectors, which, vectors)
    ends = [top._replace(vector=vector) for top, vector in zip(tops, cut.points, strict=True)]
    far = np.flatnonzero(cut.moved)
    if far.size:
        for i, end in zip(far, maximise(cut.problems, far, cut.points[far], 0.0), strict=True):
            ends[i] = end
    return cut.problems, ends


def _around(problems: Problem, priors: Mapping[str, Packed], which: list[int], tops: list[Optimum]) -> list[Peak]:
    """Maxima with their surroundings; angles as the first priors have them."""
    places = np.array(which)
    summits, scaling = (np.stack([getattr(top, name) for top in tops]) for name in ("vector", "scaling"))
    if summits.shape[1] <= SMALL:
        # The scale of a distant start is poor: it is taken anew at the maximum, and once more at the mode.
        scaling = rescale(problems, places, summits, 1.0, scaling)
    gaussians = laplace(problems, which, maximise(problems, places, summits, 1.0, scaling))
    bests = evaluate.parameters(problems, which, summits[:, None, None])
    angles = periods(problems.skeleton)
    return [
        Peak(
            {name: at_home(value[0, 0], sites[name], angles.get(name)) for name, value in best.items()},
            top.log_density,
            top.status,
            gaussian,
        )
        for best, top, gaussian, sites in zip(bests, tops, gaussians, _sites(priors, which), strict=True)
    ]


def _sites(priors: Mapping[str, Packed], which: list[int]) -> list[dict[str, Distribution]]:
    host = jax.tree.map(np.asarray, priors)
    return [unpacked(jax.tree.map(lambda leaf, i=i: leaf[i], host)) for i in which]


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
