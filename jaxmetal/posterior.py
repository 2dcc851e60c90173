"""What a fit returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.prior import fill


@dataclasses.dataclass(frozen=True, kw_only=True)
class Posterior:
    """Draws of the free parameters, and everything needed to judge and to use them.

    Attributes:
        tree: the prior: {"scene": Scene, "<observation>": Image or WeightedMap, ...}.
        plans: observation name -> Plan.
        draws: parameter name -> draws of the sampler, shape (chains, draws, ...); the best value alone for a method
            without draws. Angles under a prior that is uniform all round lie within half their period of their best
            value; others lie where they were sampled, and summaries fold them (`result.View.unwrapped`).
        best: parameter name -> value at the maximum of the posterior density (MAP).
        log_posterior: at `best`, not normalised.
        log_evidence: natural logarithm; by importance sampling where proposals cover the posterior, elsewhere that of
            the Laplace approximation (a finding says where it should not be used).
        k_hat: Pareto shape of the Laplace approximation's importance weights; below 0.7 it is trustworthy. NaN
            where none were drawn: for method "map", and where very many numbers are free.
        sampler: "diverging", "leapfrogs", "accept", "log_density", each (chains, draws); empty without chains.
        method: how the draws were made: a name in `fit.METHODS`, "nuts", "hmc", "laplace" or "map" among them.
        decisions: why, one sentence each.
        resampled: parameter name -> by how many of its standard deviations it would move if the model were sampled
            twice as finely, the largest of its numbers; see `fit.resample`.
        findings: what to know before using the draws, worst first.
        seconds: wall time by stage.
        seed: of the random numbers.
        stopped: whether Ctrl-C ended the fit; a finding says after how many draws.
        tries: fits that were made, 2 where the first was poor and this is the second (see `fit.batch`).
    """

    tree: dict[str, Any]
    plans: dict[str, Any]
    draws: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    log_posterior: float
    log_evidence: float
    k_hat: float
    sampler: dict[str, np.ndarray]
    method: str
    decisions: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: dict[str, float]
    seed: int
    stopped: bool = False
    resampled: dict[str, float] = dataclasses.field(default_factory=dict)
    tries: int = 1

    @property
    def sampled(self) -> bool:
        """Whether there are draws, and not the best value alone."""
        return any(np.prod(values.shape[:2]) > 1 for values in self.draws.values())

    @property
    def observations(self) -> list[str]:
        """Names of the observations that were fitted."""
        return list(self.plans)

    def filled(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Scene and observations with the best (or other) values in place."""
        return fill(self.tree, self.best if values is None else values)

    def flat(self) -> dict[str, np.ndarray]:
        """Draws with the chains joined: name -> (chains * draws, ...)."""
        return {name: values.reshape(-1, *values.shape[2:]) for name, values in self.draws.items()}
