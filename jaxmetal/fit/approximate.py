"""A first look: the maximum, and the Gaussian around it in the place of the posterior."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import as_sampled, periods
from jaxmetal.fit.method import Solution, Solutions, Stage
from jaxmetal.fit.peaks import Peak
from jaxmetal.fit.problem import priors_of
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.weigh import integrated, judged, worth_judging

LABEL = "A first look: these are draws of the Gaussian around the maximum, not of the posterior"
ALIKE = 0.5
"""k-hat below which the Gaussian is so like the posterior that its draws need no warning."""


def quick(stage: Stage, found: Solutions) -> Solutions:
    """The method: draws of the Gaussian, which is judged but not corrected."""
    return approximated(stage, integrated(*judged(stage, found)) if worth_judging(found) else found)


def approximated(stage: Stage, found: Solutions) -> Solutions:
    """Draws of the Gaussians around the maxima, by their masses."""
    vectors = [_drawn(stage, i, one.peak) for i, one in found.items()]
    values = evaluate.parameters(stage.problems, list(found), np.stack(vectors))
    angles = periods(stage.problems.skeleton)
    return {
        i: _labelled(one)._replace(draws=as_sampled(along, one.peak.best, priors_of(stage.problems, i), angles))
        for (i, one), along in zip(found.items(), values, strict=True)
    }


def _labelled(solution: Solution) -> Solution:
    judged = "" if np.isnan(solution.k_hat) else f" (its k-hat is {solution.k_hat:.2f}; good below {ALIKE})"
    text = f"{LABEL}{judged}; fit with method 'auto' before using them."
    found = Finding("info" if solution.k_hat < ALIKE else "warning", text)
    return solution._replace(method="quick", findings=[*solution.findings, found])


def _drawn(stage: Stage, i: int, peak: Peak) -> np.ndarray:
    """Vectors, (chains, draws, size)."""
    random, gaussians = np.random.default_rng(branch(stage.seeds[i], 5)), peak.gaussians
    shape, size = (stage.options.chains, stage.options.draws), gaussians[0].mode.size
    part = random.choice(len(gaussians), shape, p=peak.shares)
    modes, factors = (np.stack([getattr(one, name) for one in gaussians]) for name in ("mode", "factor"))
    white = random.standard_normal((*shape, size)).astype(modes.dtype)
    return np.asarray(modes[part] + np.einsum("cdij,cdj->cdi", factors[part], white))
