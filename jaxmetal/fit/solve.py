"""From problems to draws: maxima, Laplace approximations, and the cheapest sampler that each posterior allows.

All problems of a stack go through every stage together, but no answer depends on its neighbours: each has its own seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.chains import CHUNK, Chains, Settings, run
from jaxmetal.fit.diagnose import converged, diagnose, unwrap
from jaxmetal.fit.laplace import Proposals, propose, refine
from jaxmetal.fit.metropolis import walk
from jaxmetal.fit.optimum import Status
from jaxmetal.fit.peaks import Peak, find_peaks
from jaxmetal.fit.problem import Problem, pick
from jaxmetal.fit.seeds import branch

METHODS = ("auto", "map", "laplace", "hmc", "nuts")
TRUSTED = 0.7
"""Largest Pareto k-hat at which draws from the Laplace approximation are corrected one by one."""
WHITE = 0.5
"""Largest k-hat at which the Laplace approximation is trusted to whiten the space of NUTS."""
CHECKED = 500
"""Proposals that judge the Laplace approximation where it does not sample."""


class Options(NamedTuple):
    """How to fit; see `fit.auto`."""

    method: str = "auto"
    chains: int = 4
    draws: int = 500
    warmup: int | None = None
    start_count: int = 3
    target_accept: float | None = None

    @classmethod
    def among(cls, settings: Mapping[str, Any]) -> Options:
        """Those of some settings that are options."""
        return cls(**{name: settings[name] for name in cls._fields if name in settings})


class Solution(NamedTuple):
    """A posterior as the fit leaves it; `Posterior` says what the fields mean."""

    peak: Peak
    method: str
    decisions: tuple[str, ...]
    k_hat: float
    draws: dict[str, np.ndarray]
    sampler: Chains | None
    findings: list[Finding]


def solve(
    problems: Problem,
    seeds: Sequence[SeedSequence],
    options: Options,
    given: Mapping[str, Any] | None = None,
    progress: bool = False,
    mark: Callable[[str], None] = lambda stage: None,
) -> list[Solution | InputError]:
    """Fits a stack of problems.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        options: see `Options`.
        given: see `fit.start.starts`.
        progress: show progress bars.
        mark: called with the name of each stage when it is over.

    Returns:
        For each problem its solution, or why there is none.
    """
    peaks = find_peaks(problems, [branch(seed, 0) for seed in seeds], options.start_count, given)
    mark("optimise")
    summits = {i: peak for i, peak in enumerate(peaks) if isinstance(peak, Peak)}
    found = _sample(problems, summits, seeds, options, progress) if summits else {}
    mark("sample")
    return [found[i] if isinstance(peak, Peak) else peak for i, peak in enumerate(peaks)]


def _sample(
    problems: Problem, peaks: dict[int, Peak], seeds: Sequence[SeedSequence], options: Options, progress: bool
) -> dict[int, Solution]:
    """Draws for problems with a peak, by the sampler that was asked for or the cheapest that each allows."""
    asked = f"{options.method.upper()} as asked."
    found = {
        i: Solution(peak, options.method, (asked,), np.nan, {}, None, _unreached(peak)) for i, peak in peaks.items()
    }
    if options.method == "map":
        return {
            i: one._replace(draws={name: value[None, None] for name, value in peaks[i].best.items()})
            for i, one in found.items()
        }
    found = _weighed(problems, found, seeds, options, progress)
    for settings in {_settings(one, options) for one in found.values() if one.method in ("hmc", "nuts")}:
        some = [i for i, one in found.items() if _settings(one, options) == settings]
        gaussians = [found[i].peak.gaussian for i in some]
        sampled = run(problems, some, gaussians, [branch(seeds[i], 3) for i in some], settings, progress)
        found |= _drawn(problems, {i: found[i] for i in some}, sampled)
    return {
        i: one._replace(findings=one.findings + _diagnosed(one, pick(problems.sites, i))) for i, one in found.items()
    }


def _weighed(
    problems: Problem, found: dict[int, Solution], seeds: Sequence[SeedSequence], options: Options, progress: bool
) -> dict[int, Solution]:
    """Judges the Laplace approximations, and draws from them where that is asked for or good enough."""
    which = list(found)
    wanted = options.method in ("auto", "laplace")
    size = options.chains * options.draws if wanted else CHECKED
    around = [one.peak.gaussian.student for one in found.values()]
    drawn, anew = ([branch(seeds[i], *place) for i in which] for place in ((0, 0), (1,)))
    first = propose(problems, which, around, drawn, [size] * len(which), progress)
    better = refine(problems, which, first, anew, progress) if wanted else first
    found = {i: _choose(found[i], options, raw, refined) for i, raw, refined in zip(which, first, better, strict=True)}
    some = [
        (i, walk(refined, branch(seeds[i], 2), options.chains, options.draws))
        for i, refined in zip(which, better, strict=True)
        if found[i].method == "laplace"
    ]
    found |= _drawn(problems, {i: found[i] for i, _ in some}, [chains for _, chains in some])
    unfinished = "NUTS run as well: the corrected draws had not converged (R-hat or effective samples)."
    return {
        i: one._replace(method="nuts", decisions=(*one.decisions, unfinished))
        if options.method == "auto" and one.sampler is not None and not converged(one.draws, one.sampler)
        else one
        for i, one in found.items()
    }


def _choose(solution: Solution, options: Options, first: Proposals, refined: Proposals) -> Solution:
    """With the quality of the Laplace approximation, and the cheapest sampler that it allows."""
    solution = solution._replace(k_hat=first.k_hat)
    if first.k_hat >= TRUSTED:
        text = f"The posterior is not close to Gaussian (k-hat {first.k_hat:.2f}); do not use Laplace's evidence."
        solution = solution._replace(findings=[*solution.findings, Finding("info", text)])
    if options.method != "auto":
        return solution
    method, limit = ("laplace", "below") if refined.k_hat < TRUSTED else ("nuts", "not below")
    what = "a mixture that follows the posterior" if len(refined.mixture.shares) > 1 else "more draws of it"
    better = "" if refined is first else f", {what} {refined.k_hat:.2f}"
    why = f"the Laplace approximation has k-hat {first.k_hat:.2f}{better} ({limit} {TRUSTED})"
    return solution._replace(method=method, decisions=(f"{method.upper()} chosen: {why}.",))


def _drawn(problems: Problem, found: dict[int, Solution], chains: list[Chains]) -> dict[int, Solution]:
    """Solutions with chains, and the parameters' values along them."""
    if not found:
        return found
    values = evaluate.parameters(problems, list(found), np.stack([one.vectors for one in chains]))
    return {
        i: one._replace(sampler=sampler, draws=unwrap(drawn, one.peak.best))
        for (i, one), sampler, drawn in zip(found.items(), chains, values, strict=True)
    }


def _settings(solution: Solution, options: Options) -> Settings:
    """Where the Laplace approximation whitens badly, NUTS takes its time: its own mass matrix, and small steps."""
    careful = solution.method == "nuts" and solution.k_hat >= WHITE
    steps = (
        options.warmup if options.warmup is not None else 50 if solution.method == "hmc" else 300 if careful else 100
    )
    return Settings(
        algorithm=solution.method.upper(),
        chains=options.chains,
        warmup=-(-steps // CHUNK) * CHUNK,
        draws=-(-options.draws // CHUNK) * CHUNK,
        adapt_mass=careful,
        target_accept=options.target_accept or (0.95 if careful else 0.8),
    )


def _unreached(peak: Peak) -> list[Finding]:
    if peak.status == Status.CONVERGED:
        return []
    text = f"The maximum was not reached ({peak.status.name.lower()}); start nearer to it by narrower priors."
    return [Finding("warning", text)]


def _diagnosed(solution: Solution, sites: Any) -> list[Finding]:
    return [] if solution.sampler is None else diagnose(solution.draws, solution.sampler, sites)
