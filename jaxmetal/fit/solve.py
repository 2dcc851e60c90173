"""From problems to draws: maxima, the Gaussians around them, and the method that was asked for.

All problems of a stack go through every stage together, but no answer depends on its neighbours: each has its own seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.chains import Kept
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.progress import say
from jaxmetal.fit.angles import periods
from jaxmetal.fit.approximate import approximated
from jaxmetal.fit.diagnose import at_bounds, diagnose
from jaxmetal.fit.method import Options, Solution, Stage
from jaxmetal.fit.methods import method_of
from jaxmetal.fit.missed import sought_again
from jaxmetal.fit.optimum import Status
from jaxmetal.fit.others import left_out
from jaxmetal.fit.peaks import Peak, find_peaks
from jaxmetal.fit.problem import Problem, priors_of
from jaxmetal.fit.seeds import branch


def solve(
    problems: Problem,
    seeds: Sequence[SeedSequence],
    options: Options,
    given: Mapping[str, Any] | None = None,
    progress: bool = False,
    mark: Callable[[str], None] = lambda stage: None,
    cut_short: bool = False,
    keep: Kept | None = None,
) -> tuple[Problem, list[Solution | InputError]]:
    """Fits a stack of problems.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        options: see `Options`.
        given: see `fit.start.starts`.
        progress: show progress bars.
        mark: called with the name of each stage when it is over.
        cut_short: after Ctrl-C, what there is, once there are maxima.
        keep: where chains are kept while they run.

    Returns:
        The problems with their circles cut as `find_peaks` does, in whose vectors the solutions are; and for each its
        solution, or why there is none.
    """
    count = options.starts(problems)
    say(f"Looking for the maximum from {count} start(s); the first steps compile the model.", progress)
    begun = [branch(seed, 0) for seed in seeds]
    problems, peaks = find_peaks(problems, begun, count, given, progress)
    mark("optimise")
    summits = {i: peak for i, peak in enumerate(peaks) if isinstance(peak, Peak)}
    for peak in summits.values():
        say(f"Separated maxima found: {1 + len(peak.others)}.", progress)
    found = _sample(Stage(problems, seeds, options, progress, cut_short, keep), summits) if summits else {}
    mark("sample")
    return problems, [found[i] if isinstance(peak, Peak) else peak for i, peak in enumerate(peaks)]


def _sample(stage: Stage, peaks: dict[int, Peak]) -> dict[int, Solution]:
    """Draws for problems with a peak."""
    name = stage.options.method
    asked = f"{name.upper()} as asked."
    begun = {
        i: Solution(peak, name, (asked,), np.nan, peak.log_evidence, {}, None, _unreached(peak))
        for i, peak in peaks.items()
    }
    try:
        found = method_of(name).sample(stage, begun)
    except KeyboardInterrupt:
        if not stage.cut_short:
            raise
        found = {i: _stopped(one) for i, one in approximated(stage, begun).items()}
    found = sought_again(stage.problems, found)
    angles = periods(stage.problems.skeleton)
    return {
        i: one._replace(findings=[*one.findings, *_diagnosed(one, priors_of(stage.problems, i), angles)])
        for i, one in found.items()
    }


def _stopped(solution: Solution) -> Solution:
    finding = Finding("warning", "Stopped by hand before there were draws.")
    return solution._replace(findings=[finding, *solution.findings], stopped=True)


def _unreached(peak: Peak) -> list[Finding]:
    if peak.status == Status.CONVERGED:
        return []
    text = f"The maximum was not reached ({peak.status.name.lower()}); start nearer to it by narrower priors."
    return [Finding("warning", text)]


def _diagnosed(solution: Solution, sites: Any, angles: Mapping[str, Any]) -> list[Finding]:
    others = left_out(solution, sites, angles)
    if solution.sampler is None:
        return others + at_bounds(solution.draws, sites, angles)
    return others + diagnose(solution.draws, solution.qualities, solution.sampler, sites, angles)
