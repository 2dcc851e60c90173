"""What a method of inference is: from the maxima of posteriors to draws, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.chains import Chains, Kept, Quality, converged, measure
from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import as_sampled, periods
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.peaks import Peak
from jaxmetal.fit.problem import Problem, priors_of
from jaxmetal.meaning.circles import unwrap
from jaxmetal.model import SCENE
from jaxmetal.observation import starts_of


class Options(NamedTuple):
    """How to fit; see `fit.auto`."""

    method: str = "auto"
    chains: int = 4
    draws: int = 500
    warmup: int | None = None
    start_count: int | None = None
    target_accept: float | None = None

    @classmethod
    def among(cls, settings: Mapping[str, Any]) -> Options:
        """Those of some settings that are options."""
        return cls(**{name: settings[name] for name in cls._fields if name in settings})

    def starts(self, problem: Problem) -> int:
        """Of the optimiser: as many as the observations of a problem ask for, where nobody else did."""
        asked = (starts_of(one) for name, one in problem.skeleton.items() if name != SCENE)
        return self.start_count or max(asked)


class Solution(NamedTuple):
    """A posterior as the fit leaves it.

    Attributes:
        peak: its maxima.
        method: as `Posterior`, like the next five.
        decisions: why.
        k_hat: of the Laplace approximation.
        log_evidence: natural logarithm.
        draws: parameter name -> (chains, draws, ...).
        sampler: chains, None without.
        findings: what to know.
        resampled: as `Posterior`.
        qualities: parameter name -> how good its draws are.
        space: what whitens it for chains, where that is not the Laplace approximation.
        stopped: whether Ctrl-C ended its sampling.
        tries: as `Posterior`.
    """

    peak: Peak
    method: str
    decisions: tuple[str, ...]
    k_hat: float
    log_evidence: float
    draws: dict[str, np.ndarray]
    sampler: Chains | None
    findings: list[Finding]
    resampled: Mapping[str, float] = {}
    qualities: Mapping[str, Quality] = {}
    space: Laplace | None = None
    stopped: bool = False
    tries: int = 1

    @property
    def converged(self) -> bool:
        """Whether its draws, if it has chains, can be used."""
        return self.sampler is None or converged(self.qualities, self.sampler)


Solutions = dict[int, Solution]
"""Place in the stack -> solution."""


class Stage(NamedTuple):
    """What methods work with.

    Attributes:
        problems: see `fit.problem.stack`.
        seeds: of each problem; branch 0 found the maximum.
        options: see `Options`.
        progress: show progress bars.
        cut_short: after Ctrl-C, what there is.
        keep: where chains are kept while they run.
    """

    problems: Problem
    seeds: Sequence[SeedSequence]
    options: Options
    progress: bool
    cut_short: bool = False
    keep: Kept | None = None


class Method(NamedTuple):
    """A line of the table `fit.methods.METHODS`.

    Attributes:
        sample: from solutions that hold a maximum and the Gaussian around it to the same ones with draws; no answer may
            depend on its neighbours. `method` of each names what made its draws.
        suits: when to use it, a few words.
        densities: that a draw costs, about.
        gradients: that a draw costs, about.
        draws: whether there are any.
        again: the method by which `fit.batch` tries poor fits again; itself where there is none better.
    """

    sample: Callable[[Stage, Solutions], Solutions]
    suits: str
    densities: float = 0.0
    gradients: float = 0.0
    draws: bool = True
    again: str | None = None


def drawn(stage: Stage, found: Solutions, chains: Sequence[Chains]) -> Solutions:
    """Solutions with chains, and the parameters' values along them."""
    if not found:
        return found
    values = evaluate.parameters(stage.problems, list(found), np.stack([one.vectors for one in chains]))
    angles = periods(stage.problems.skeleton)
    made = {}
    for (i, one), sampler, along in zip(found.items(), chains, values, strict=True):
        draws = as_sampled(along, one.peak.best, priors_of(stage.problems, i), angles)
        qualities = measure(unwrap(draws, one.peak.best, angles))
        made[i] = one._replace(sampler=sampler, draws=draws, qualities=qualities)
    return made
