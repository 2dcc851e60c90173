"""What a population fit returns, and what is read off it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import number
from jaxmetal.lines.names import look_up
from jaxmetal.numerics.convergence import effective_samples, r_hat
from jaxmetal.population.correlation import Spearman, spearman
from jaxmetal.population.galaxies import Covariate, Draws, Measured

Kind = Literal["equal-tailed", "highest-density"]

METHODS = {
    "marginal": "each galaxy enters as its value with its error, Gaussian or of two sides",
    "importance": "each galaxy enters as the stored draws of its own posterior, the prior of its fit divided out",
    "joint": "all galaxies were fitted together, each with its own data, in one model",
    "regression": "both variables have errors, and the true x are drawn from a mixture of Gaussians",
}
"""Method of a relation -> what it means."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Relation:
    """A relation between a quantity and covariates, with everything needed to judge it.

    Attributes:
        quantity: of every galaxy, as given.
        covariates: name -> `Covariate`, as given.
        draws: site -> (chains, draws, ...): "central" (the quantity at the pivots), "slope.<covariate>", "scatter" and,
            if robust, "nu".
        method: one of `METHODS`.
        robust: whether the scatter has a Student-t's tails.
        selection: what was assumed of how galaxies entered the sample, one sentence.
        effective_numbers: effective draws of each galaxy, (looks, n), where stored draws were reused.
        findings: what to know before using the draws, worst first.
        seed: of the random numbers.
    """

    quantity: Measured | Draws
    covariates: dict[str, Covariate]
    draws: dict[str, np.ndarray]
    method: str
    robust: bool
    selection: str
    effective_numbers: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()
    seed: int = 0

    def flat(self) -> dict[str, np.ndarray]:
        """Draws with the chains joined."""
        return {name: values.reshape(-1, *values.shape[2:]) for name, values in self.draws.items()}

    def parameters(self) -> dict[str, np.ndarray]:
        """Draws (chains, draws) of the relation itself, without what describes the covariates or single galaxies."""
        return {n: v for n, v in self.draws.items() if n in ("central", "scatter", "nu") or n.startswith("slope.")}

    def unit(self, site: str) -> str:
        """Unit of a parameter."""
        if site == "nu":
            return ""
        if not site.startswith("slope."):
            return self.quantity.unit
        name = site.removeprefix("slope.")
        per = self.covariates[name].unit
        return f"{self.quantity.unit or 1} / {per}" if per else f"{self.quantity.unit} per unit of {name}".strip()

    def line(self, covariate: str, values: Any) -> np.ndarray:
        """Draws of the expected quantity against one covariate, the others at their pivots: (draws, len(values))."""
        flat, pivot = self.flat(), self.covariates[covariate].pivot
        return flat["central"][:, None] + flat[f"slope.{covariate}"][:, None] * (np.asarray(values) - pivot)

    def spearman(self, covariate: str, seed: int = 0) -> Spearman:
        """Rank correlation of the quantity with a covariate, and its error."""
        return spearman(self.quantity, self.covariates[covariate], seed=seed)

    @functools.cached_property
    def ranks(self) -> dict[str, Spearman]:
        """Covariate -> rank correlation."""
        return {name: self.spearman(name) for name in self.covariates}


class Interval(NamedTuple):
    """A credible interval."""

    low: float
    high: float


def interval(draws: np.ndarray, level: float = 0.68, kind: Kind = "equal-tailed") -> Interval:
    """The central interval, or the shortest one, which is around the mode.

    Args:
        draws: any shape; chains are joined.
        level: probability inside.
        kind: "highest-density" is what linmix-based papers quote around the mode.

    Raises:
        InputError: if there is no such kind, or the level is not within (0, 1).
    """
    ends, level = look_up("kind", kind, KINDS), number("level", level, "(0, 1)")
    low, high = ends(draws, level)
    return Interval(float(low), float(high))


def _central(draws: np.ndarray, level: float) -> Any:
    return np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])


def _shortest(draws: np.ndarray, level: float) -> Any:
    from arviz_stats.base import array_stats

    return array_stats.hdi(np.ravel(draws), level)


KINDS: dict[str, Callable[[np.ndarray, float], Any]] = {"equal-tailed": _central, "highest-density": _shortest}
"""Kind of an interval -> its ends, of draws and the probability inside."""


def table(relation: Relation, level: float = 0.68, kind: Kind = "equal-tailed") -> dict[str, list[Any]]:
    """Columns parameter, unit, median, mean, sd, low, high, r_hat, ess; one row per parameter of the relation.

    Raises:
        InputError: as `interval`.
    """
    rows = []
    for site, values in relation.parameters().items():
        low, high = interval(values, level, kind)
        row = {"parameter": site, "unit": relation.unit(site), "median": float(np.median(values))}
        row |= {"mean": float(values.mean()), "sd": float(values.std()), "low": low, "high": high}
        rows.append(row | {"r_hat": r_hat(values), "ess": effective_samples(values)})
    return {name: [row[name] for row in rows] for name in rows[0]}


def summary(relation: Relation, level: float = 0.68, kind: Kind = "equal-tailed") -> str:
    """Trouble first, the numbers with their units, the pivots, rank correlations and the selection.

    Raises:
        InputError: as `interval`.
    """
    columns = table(relation, level, kind)
    head = [f"  - {finding}" for finding in relation.findings] or ["  - no trouble found"]
    lines = [
        f"  {name}: {middle:.4g} [{low:.4g}, {high:.4g}] {unit}".rstrip()
        for name, middle, low, high, unit in zip(
            *(columns[key] for key in ("parameter", "median", "low", "high", "unit")), strict=True
        )
    ]
    pivots = ", ".join(f"{name} = {covariate.pivot:g}" for name, covariate in relation.covariates.items())
    ranks = [f"  with {name}: {rank}" for name, rank in relation.ranks.items()]
    scatter = "Student-t" if relation.robust else "Gaussian"
    return "\n".join(
        [
            f"{len(relation.quantity.values)} galaxies, {scatter} scatter about the relation.",
            f"Method {relation.method}: {METHODS[relation.method]}. Findings:",
            *head,
            f"Median and {kind} {100 * level:.0f} % interval; central value at {pivots}:",
            *lines,
            "Spearman's rank correlation:",
            *ranks,
            relation.selection,
        ]
    )
