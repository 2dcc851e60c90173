"""What a method of inference is: from the maxima of posteriors to draws, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.chains import Chains
from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.angles import periods, unwrap
from jaxmetal.fit.peaks import Peak
from jaxmetal.fit.problem import Problem


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


Solutions = dict[int, Solution]
"""Place in the stack -> solution."""


class Stage(NamedTuple):
    """What methods work with.

    Attributes:
        problems: see `fit.problem.stack`.
        seeds: of each problem; branch 0 found the maximum.
        options: see `Options`.
        progress: show progress bars.
    """

    problems: Problem
    seeds: Sequence[SeedSequence]
    options: Options
    progress: bool


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
    return {
        i: one._replace(sampler=sampler, draws=unwrap(along, one.peak.best, angles))
        for (i, one), sampler, along in zip(found.items(), chains, values, strict=True)
    }
