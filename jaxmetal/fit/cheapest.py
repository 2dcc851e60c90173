"""The method that chooses: the cheapest of the others that a posterior allows, checked."""

from __future__ import annotations

from jaxmetal.edge.progress import say
from jaxmetal.fit.curvature import SMALL
from jaxmetal.fit.hamiltonian import turned
from jaxmetal.fit.method import Solution, Solutions, Stage
from jaxmetal.fit.proposals import Proposals, spread
from jaxmetal.fit.refine import TRUSTED
from jaxmetal.fit.weigh import followed, integrated, judged, walked, worth_judging

UNFINISHED = "NUTS run as well: the corrected draws had not converged (R-hat or effective samples)."


def cheapest(stage: Stage, found: Solutions) -> Solutions:
    """Corrected proposals where their weights are good and the corrected draws converge, NUTS elsewhere."""
    if not worth_judging(found):
        return turned(stage, {i: _too_many(one) for i, one in found.items()})
    found, first = judged(stage, found, stage.options.chains * stage.options.draws)
    better = followed(stage, found, first)
    found = {i: _chosen(one, first[i], better[i]) for i, one in integrated(found, better).items()}
    for one in found.values():
        say(one.decisions[-1], stage.progress)
    found |= walked(stage, {i: one for i, one in found.items() if better[i].k_hat < TRUSTED}, better)
    left = {
        i: (one if one.sampler is None else one._replace(decisions=(*one.decisions, UNFINISHED)))._replace(
            space=spread(better[i], one.peak.gaussian)
        )
        for i, one in found.items()
        if one.sampler is None or not one.converged
    }
    return found | turned(stage, left)


def _too_many(solution: Solution) -> Solution:
    size = solution.peak.gaussian.mode.size
    why = f"of {size} free numbers no proposals can cover the posterior (at most {SMALL})"
    return solution._replace(decisions=(f"NUTS chosen: {why}.",))


def _chosen(solution: Solution, first: Proposals, refined: Proposals) -> Solution:
    method, limit = ("laplace", "below") if refined.k_hat < TRUSTED else ("nuts", "not below")
    better = "" if refined is first else f", {refined.mixture.described} {refined.k_hat:.2f}"
    why = f"the Laplace approximation has k-hat {first.k_hat:.2f}{better} ({limit} {TRUSTED})"
    return solution._replace(method=method, decisions=(f"{method.upper()} chosen: {why}.",))
