"""Draws from the Laplace approximation, or from mixtures that follow the posterior, weighed and corrected."""

from __future__ import annotations

from jaxmetal.edge.findings import Finding
from jaxmetal.fit.curvature import SMALL
from jaxmetal.fit.laplace import Proposals, propose, refine
from jaxmetal.fit.method import Solution, Solutions, Stage, drawn
from jaxmetal.fit.metropolis import walk
from jaxmetal.fit.seeds import branch

TRUSTED = 0.7
"""Largest Pareto k-hat at which proposals can be corrected one by one."""

CHECKED = 500
"""Proposals that judge the Laplace approximation where it does not sample."""


def corrected(stage: Stage, found: Solutions) -> Solutions:
    """The method: proposals, corrected by Metropolis steps."""
    found, first = judged(stage, found, stage.options.chains * stage.options.draws)
    return walked(stage, found, followed(stage, first))


def judged(stage: Stage, found: Solutions, size: int = CHECKED) -> tuple[Solutions, dict[int, Proposals]]:
    """With the quality of the Laplace approximation, and the proposals that tell it."""
    around = [one.peak.gaussian.student for one in found.values()]
    seeds = [branch(stage.seeds[i], 0, 0) for i in found]
    made = propose(stage.problems, list(found), around, seeds, [size] * len(found), stage.progress)
    first = dict(zip(found, made, strict=True))
    return {i: _with_k_hat(one, first[i].k_hat) for i, one in found.items()}, first


def worth_judging(found: Solutions) -> bool:
    """Whether proposals can cover the posterior: among very many numbers, weight always lies on a few of them."""
    return all(one.peak.gaussian.mode.size <= SMALL for one in found.values())


def followed(stage: Stage, first: dict[int, Proposals]) -> dict[int, Proposals]:
    """Better proposals where those of the Laplace approximation are poor."""
    seeds = [branch(stage.seeds[i], 1) for i in first]
    better = refine(stage.problems, list(first), list(first.values()), seeds, stage.progress)
    return dict(zip(first, better, strict=True))


def walked(stage: Stage, found: Solutions, proposals: dict[int, Proposals]) -> Solutions:
    """Metropolis chains over proposals."""
    chains, draws = stage.options.chains, stage.options.draws
    return drawn(stage, found, [walk(proposals[i], branch(stage.seeds[i], 2), chains, draws) for i in found])


def _with_k_hat(solution: Solution, k_hat: float) -> Solution:
    if k_hat < TRUSTED:
        return solution._replace(k_hat=k_hat)
    text = f"The posterior is not close to Gaussian (k-hat {k_hat:.2f}); do not use Laplace's evidence."
    return solution._replace(k_hat=k_hat, findings=[*solution.findings, Finding("info", text)])
