"""The maximum of each posterior and the Gaussian around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.edge.errors import InputError
from jaxmetal.fit import evaluate
from jaxmetal.fit.curvature import SMALL, rescale
from jaxmetal.fit.laplace import Laplace, laplace
from jaxmetal.fit.optimum import Optimum, Status, highest, maximise
from jaxmetal.fit.problem import Problem, constrain, pick
from jaxmetal.fit.start import starts


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
) -> list[Peak | InputError]:
    """MAP from several starts, the mode of the unconstrained density next to it, and the Laplace approximation there.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        start_count: starts of the optimiser.
        given: see `fit.start.starts`.

    Returns:
        For each problem its peak, or why there is none: the density is not finite at any start.
    """
    which, points = starts(problems, seeds, start_count, given)
    tops = highest(which, maximise(problems, which, points, 0.0))
    good = [i for i, top in enumerate(tops) if np.isfinite(top.log_density)]
    found = dict(zip(good, _around(problems, good, [tops[i] for i in good]), strict=True)) if good else {}
    return [
        found[i] if i in found else InputError(_not_finite(pick(problems, i), points[i * start_count]))
        for i in range(len(tops))
    ]


def _around(problems: Problem, which: list[int], tops: list[Optimum]) -> list[Peak]:
    """Maxima with their surroundings."""
    places = np.array(which)
    summits, scaling = (np.stack([getattr(top, name) for top in tops]) for name in ("vector", "scaling"))
    if summits.shape[1] <= SMALL:
        # The scale of a distant start is poor: it is taken anew at the maximum, and once more at the mode.
        scaling = rescale(problems, places, summits, 1.0, scaling)
    gaussians = laplace(problems, which, maximise(problems, places, summits, 1.0, scaling))
    bests = evaluate.parameters(problems, which, summits[:, None, None])
    return [
        Peak({name: value[0, 0] for name, value in best.items()}, top.log_density, top.status, gaussian)
        for best, top, gaussian in zip(bests, tops, gaussians, strict=True)
    ]


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
