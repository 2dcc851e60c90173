"""Draws from the Laplace approximation, or from mixtures that follow the posterior, weighed and corrected."""

from __future__ import annotations

from jaxmetal.chains import reached
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.progress import say
from jaxmetal.fit.bent import GOOD, Bent, Ridge
from jaxmetal.fit.branches import Branches, shared
from jaxmetal.fit.curvature import SMALL
from jaxmetal.fit.evidence import log_evidence
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.method import Solution, Solutions, Stage, drawn
from jaxmetal.fit.metropolis import walk
from jaxmetal.fit.proposals import Mixture, Proposals, efficiency, joined, propose
from jaxmetal.fit.refine import TRUSTED, TURNS, refine
from jaxmetal.fit.ridge import ridges
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.student import StudentMixture

DOUBLED = 3
"""Times that proposals may be doubled until the chains over them are long enough."""

CHECKED = 500
"""Proposals that judge the Laplace approximation where it does not sample."""


def corrected(stage: Stage, found: Solutions) -> Solutions:
    """The method: proposals, corrected by Metropolis steps."""
    found, first = judged(stage, found, stage.options.chains * stage.options.draws)
    better = followed(stage, found, first)
    return walked(stage, integrated(found, better), better)


def judged(stage: Stage, found: Solutions, size: int = CHECKED) -> tuple[Solutions, dict[int, Proposals]]:
    """With the quality of the Laplace approximation, and the proposals that tell it."""
    around = [one.peak.student for one in found.values()]
    seeds = [branch(stage.seeds[i], 0, 0) for i in found]
    made = propose(stage.problems, list(found), around, seeds, [size] * len(found), stage.progress)
    first = dict(zip(found, made, strict=True))
    return {i: one._replace(k_hat=first[i].k_hat) for i, one in found.items()}, first


def worth_judging(found: Solutions) -> bool:
    """Whether proposals can cover the posterior: among very many numbers, weight always lies on a few of them."""
    return all(one.peak.gaussian.mode.size <= SMALL for one in found.values())


def followed(stage: Stage, found: Solutions, first: dict[int, Proposals]) -> dict[int, Proposals]:
    """Better proposals where those of the Laplace approximation are poor."""
    begun = first | _along_ridges(stage, found, {i: one for i, one in first.items() if one.k_hat >= GOOD})
    seeds, maxima = [branch(stage.seeds[i], 1) for i in begun], [1 + len(found[i].peak.others) for i in begun]
    better = refine(stage.problems, list(begun), list(begun.values()), seeds, maxima, stage.progress)
    return dict(zip(begun, better, strict=True))


def _along_ridges(stage: Stage, found: Solutions, poor: dict[int, Proposals]) -> dict[int, Proposals]:
    """Proposals along the ridges through all maxima, where they are better."""
    bent = _bent(stage, {i: found[i].peak.gaussians for i in poor if found[i].peak.gaussian.mode.size > 1})
    if not bent:
        return {}
    seeds, counts = [branch(stage.seeds[i], 0, 1) for i in bent], [len(poor[i].log_ratio) for i in bent]
    made = propose(stage.problems, list(bent), list(bent.values()), seeds, counts, stage.progress)
    better = zip(bent, made, strict=True)
    return {i: one for i, one in better if efficiency(one.weights) > efficiency(poor[i].weights)}


def _bent(stage: Stage, gaussians: dict[int, list[Laplace]]) -> dict[int, Mixture]:
    """Mixtures along the ridges through the modes of Gaussians; none where no ridge can be followed."""
    if not gaussians:
        return {}
    say("The posterior bends: following its ridge.", stage.progress)
    pairs = [(i, one) for i, some in gaussians.items() for one in some]
    traced = ridges(stage.problems, [i for i, _ in pairs], [one for _, one in pairs])
    found = {}
    for i in gaussians:
        own = [(ridge, one) for (k, one), ridge in zip(pairs, traced, strict=True) if k == i]
        if any(ridge is not None for ridge, _ in own):
            parts = [_part(ridge, one) for ridge, one in own]
            masses = [one.log_evidence if ridge is None else ridge.log_mass for ridge, one in own]
            found[i] = parts[0] if len(parts) == 1 else Branches(shared(masses), tuple(parts))
    return found


def _part(ridge: Ridge | None, gaussian: Laplace) -> Mixture:
    return StudentMixture.single(gaussian.mode, gaussian.factor) if ridge is None else Bent(ridge, ridge.along())


def integrated(found: Solutions, proposals: dict[int, Proposals]) -> Solutions:
    """With the evidence that proposals tell, or that of the Laplace approximation and a warning of it."""
    return {i: _integrated(one, proposals[i]) for i, one in found.items()}


def walked(stage: Stage, found: Solutions, proposals: dict[int, Proposals]) -> Solutions:
    """Metropolis chains over proposals, twice as many turn by turn until R-hat and effective samples are reached."""
    found = _walked(stage, found, proposals)
    for turn in range(DOUBLED):
        short = {i: one for i, one in found.items() if _worth_more(one, proposals[i])}
        if not short:
            break
        proposals = proposals | {i: _doubled(stage, i, proposals[i], turn) for i in short}
        found |= _walked(stage, short, proposals)
    return found


def _walked(stage: Stage, found: Solutions, proposals: dict[int, Proposals]) -> Solutions:
    chains, draws = stage.options.chains, stage.options.draws
    return drawn(stage, found, [walk(proposals[i], branch(stage.seeds[i], 2), chains, draws) for i in found])


def _worth_more(solution: Solution, proposals: Proposals) -> bool:
    assert solution.sampler is not None
    return proposals.k_hat < TRUSTED and not reached(solution.qualities, solution.sampler)


def _doubled(stage: Stage, i: int, proposals: Proposals, turn: int) -> Proposals:
    seed, count = branch(stage.seeds[i], 1, len(TURNS) + 1 + turn), len(proposals.log_ratio)
    (more,) = propose(stage.problems, [i], [proposals.mixture], [seed], [count], stage.progress)
    return joined(proposals, more)


def _integrated(solution: Solution, proposals: Proposals) -> Solution:
    if proposals.k_hat < TRUSTED:
        return solution._replace(log_evidence=log_evidence(proposals, solution.peak.gaussians))
    text = f"The posterior is not close to Gaussian (k-hat {proposals.k_hat:.2f}); do not use Laplace's evidence."
    return solution._replace(findings=[*solution.findings, Finding("info", text)])
