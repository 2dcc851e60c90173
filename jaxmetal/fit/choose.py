"""`auto`: from a prior and data to a `Posterior`, by the cheapest sampler that the posterior allows, checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.chains import Kept
from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.findings import worst_first
from jaxmetal.edge.progress import say
from jaxmetal.fit.arcs import from_arcs
from jaxmetal.fit.diagnose import prior_warnings
from jaxmetal.fit.method import Options, Solution
from jaxmetal.fit.methods import method_of
from jaxmetal.fit.problem import Problem, make, stack
from jaxmetal.fit.resample import resampled
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.solve import solve
from jaxmetal.fit.start import require_possible
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.model import tree
from jaxmetal.numerics.digest import digest
from jaxmetal.posterior import Posterior
from jaxmetal.prior import split

COUNTS = {"chains": (1, 1000), "draws": (4, 1_000_000), "start_count": (1, 1000), "warmup": (0, 1_000_000)}
"""Smallest and largest counts of a fit; R-hat and effective sample sizes need four draws of every chain."""
MOST = 10_000_000
"""Draws of all chains together: 80 MB for each parameter."""


def auto(
    scene: Any,
    observations: Mapping[str, Any],
    *,
    method: str = "auto",
    seed: int = 0,
    chains: int = 4,
    draws: int = 500,
    warmup: int | None = None,
    target_accept: float | None = None,
    start: Mapping[str, Any] | None = None,
    start_count: int | None = None,
    sampling: Mapping[str, Sampling] | None = None,
    progress: bool = True,
    cut_short: bool = False,
    keep: Kept | None = None,
) -> Posterior:
    """Fits a prior scene to observations.

    The maximum is found from several starts; the curvature there whitens the space. With method "auto", draws from the
    Laplace approximation, or from a mixture of Student-t's that follows a posterior which is no Gaussian, are corrected
    by Metropolis steps where importance weights show them to be good (k-hat < 0.7). NUTS is run elsewhere, and after
    all if the corrected chains do not converge. The posterior's `decisions` tell which and why.

    Args:
        scene: a `Scene` whose leaves are numbers (fixed) or NumPyro distributions (free).
        observations: name -> observation; all are fitted jointly.
        method: "auto", "nuts", "hmc", "laplace" (Metropolis-corrected draws), "quick" (draws of the Gaussian around the
            maximum) or "map" (no draws: the best value alone); a name in the table `fit.METHODS`, which says what each
            suits.
        seed: of all random numbers.
        chains: number of chains.
        draws: kept draws per chain, rounded up to a multiple of 50.
        warmup: steps per chain before; by default 50 for HMC, 100 for NUTS in a well whitened space, 300 elsewhere.
        target_accept: mean acceptance that the step size of NUTS and HMC aims at; by default 0.8 in a well whitened
            space, 0.95 elsewhere. Nearer to 1 takes smaller steps, the answer to draws that diverged.
        start: parameter name -> value near which the optimiser is to begin; for the others the median of the prior, or
            what `fit.arcs` finds, where a lens is free and there is an image of what it lenses.
        start_count: starts of the optimiser; by default 3, or 8 where there are line maps, whose ratios belong to two
            metallicities.
        sampling: sample grids, where the automatic choice is not wanted.
        progress: say on stderr what is being done and how long it will take.
        cut_short: after Ctrl-C return what there is, with a finding and `Posterior.stopped`: the draws so far, or
            before there are any those of the Gaussian around the maximum.
        keep: file in which NUTS and HMC keep blocks of draws; with `resume` the same fit, and no
            other, goes on from what it holds.

    Raises:
        InputError: on an unknown method, a count that is too small, a start outside its prior, or as `problem.make`.
    """
    options = checked(Options(method, chains, draws, warmup, start_count, target_accept))
    clock = _Clock()
    problem = make(scene, observations, sampling)
    require_possible(problem.sites, start or {})
    begun = {**from_arcs(scene, observations, progress), **(start or {})}
    given = {name: np.asarray(value, float)[None] for name, value in begun.items()}
    clock.mark("prepare")
    whole = tree(scene, observations)
    seeds = [seed_of(seed)]
    if keep is not None:
        # The numbers as they are computed with, and whatever decides where the chains begin.
        keep = keep._replace(of=digest((split(whole), dict(sampling or {}), options, seed, dict(start or {}))))
    cut, found = solve(stack([problem]), seeds, options, given, progress, clock.mark, cut_short, keep)
    say("Looking by how much a scene sampled twice as finely would move the result.", progress)
    (solution,) = resampled([whole], [problem.plans], cut, found)
    if isinstance(solution, InputError):
        raise solution
    clock.mark("resample")
    return posterior(whole, problem, solution, seed, clock.seconds)


def posterior(
    whole: dict[str, Any], problem: Problem, solution: Solution, seed: int, seconds: dict[str, float]
) -> Posterior:
    """A solution as people use it."""
    sampler = {} if solution.sampler is None else solution.sampler._asdict()
    return Posterior(
        tree=whole,
        plans=problem.plans,
        draws=solution.draws,
        best=solution.peak.best,
        log_posterior=solution.peak.log_posterior,
        log_evidence=solution.log_evidence,
        k_hat=solution.k_hat,
        sampler={name: values for name, values in sampler.items() if name != "vectors"},
        method=solution.method,
        decisions=solution.decisions,
        resampled=dict(solution.resampled),
        findings=worst_first([*prior_warnings(whole), *solution.findings]),
        seconds=seconds,
        seed=seed,
        stopped=solution.stopped,
        tries=solution.tries,
    )


def checked(options: Options) -> Options:
    """The options, if a fit can have them.

    Raises:
        InputError: on an unknown method, naming those that there are, or on a number out of its range.
    """
    method_of(options.method)
    for name, (least, most) in COUNTS.items():
        if getattr(options, name) is not None:
            require_count(name, getattr(options, name), least, most)
    require_count("chains times draws", options.chains * options.draws, 1, MOST)
    if options.target_accept is not None:
        require_acceptance(options.target_accept)
    return options


def require_acceptance(target_accept: float) -> None:
    """Refuses what is no acceptance probability to aim at.

    Raises:
        InputError: naming what was found.
    """
    number = isinstance(target_accept, (int, float, np.number)) and not isinstance(target_accept, bool)
    if not number or not 0.0 < target_accept < 1.0:
        raise InputError(
            f"target_accept: expected a number between 0 and 1, found {shown(target_accept)}; choose another."
        )


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage], self._last = now - self._last, now
