"""Maxima that the starts missed and the draws found."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import periods
from jaxmetal.fit.held import pulls
from jaxmetal.fit.method import Solution, Solutions
from jaxmetal.fit.optimum import ABOVE, maximise
from jaxmetal.fit.problem import Problem, priors_of
from jaxmetal.meaning.circles import same_turn


def sought_again(problems: Problem, found: Solutions) -> Solutions:
    """Where draws lie above the maximum that they began from, the best point is the one that their highest leads to.

    Where something is held while maxima are sought (`fit.held`), the mode is none of the whole posterior, and nothing
    is said.

    Args:
        problems: see `fit.problem.stack`, as they were sampled.
        found: solutions, with draws.
    """
    return {i: _judged(problems, i, one) for i, one in found.items()}


def _judged(problems: Problem, i: int, solution: Solution) -> Solution:
    if solution.sampler is None or pulls(problems.skeleton, priors_of(problems, i)).any():
        return solution
    rise = np.ravel(solution.sampler.log_density) - float(solution.peak.gaussian.log_peak)
    if not np.max(rise) > ABOVE:
        return solution
    text = (
        f"The best point lay below its own draws: {100 * np.mean(rise > 0.0):.0f} % of them are higher, by up to "
        f"{np.max(rise):.3g} in log density. The starts had missed the maximum; the best point given is the one that "
        "the highest draw led to. Start there (`start`), or from more places (`start_count`)."
    )
    better = _climbed(problems, i, solution, int(np.argmax(rise)))
    return better._replace(findings=[*better.findings, Finding("warning", text)])


def _climbed(problems: Problem, i: int, solution: Solution, highest: int) -> Solution:
    """With the end of a climb from a draw as the best point, on the turns of the one before."""
    assert solution.sampler is not None
    vectors, peak = solution.sampler.vectors, solution.peak
    (end,) = maximise(problems, np.array([i]), vectors.reshape(-1, vectors.shape[-1])[[highest]], 0.0)
    if not end.log_density > peak.log_posterior:
        return solution
    (best,) = evaluate.parameters(problems, [i], end.vector[None, None, None])
    sites, angles = priors_of(problems, i), periods(problems.skeleton)
    turned = {
        name: same_turn(value[0, 0], peak.best[name], sites[name], angles.get(name)) for name, value in best.items()
    }
    return solution._replace(peak=peak._replace(best=turned, log_posterior=end.log_density, status=end.status))
