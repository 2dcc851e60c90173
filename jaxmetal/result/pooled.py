"""Fits of one galaxy behind several lens models, or of any models of the same data, as one posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.edge.errors import InputError
from jaxmetal.meaning.circles import unwrap
from jaxmetal.posterior import Posterior
from jaxmetal.result.text import aligned, interval
from jaxmetal.result.views import View, view


class Pooled(NamedTuple):
    """A discrete mixture of fits, weighted by their evidence.

    Attributes:
        weights: name of a fit -> probability of its model.
        draws: parameter that all fits have -> draws of the mixture, shape (draws, ...).
        between: parameter -> share of the mixture's variance that is between the models: Var(E[p | model]) / Var(p) by
            the law of total variance; of an array the largest of its numbers.
    """

    weights: dict[str, float]
    draws: dict[str, np.ndarray]
    between: dict[str, float]

    def __str__(self) -> str:
        """The models, and the single numbers of the mixture, as text."""
        models = [("model", "probability"), *((name, f"{weight:.3f}") for name, weight in self.weights.items())]
        numbers = [
            (name, interval(values), f"{self.between[name]:.0%}")
            for name, values in self.draws.items()
            if values.ndim == 1
        ]
        head = ("parameter", "median (+ -)", "variance between models")
        return "\n".join([*aligned(models), "", *aligned([head, *numbers])]) + "\n"


def pool(
    fits: Mapping[str, Posterior | View], *, prior: Mapping[str, float] | None = None, draws: int = 4000, seed: int = 0
) -> Pooled:
    """Marginalises over models: p(model | data) ~ prior(model) evidence(model), draws in these proportions.

        jm.result.pool({f"model {k}": jm.fit.auto(scene(lens), data) for k, lens in enumerate(models)})

    Fits whose models differ in their numbers alone, such as the maps of `lens.Tabulated`, share their programs.

    Args:
        fits: name -> posterior of a fit of the same data, or a view of it.
        prior: name -> probability beforehand, up to a factor; all alike where it is None.
        draws: of the mixture.
        seed: of which draws are taken.

    Raises:
        InputError: if there are fewer than two fits, one has no draws or no evidence, the data differ, the prior is of
            other fits or not positive, or no draw is asked for.
    """
    require_count("draws", draws, 1)
    require_seed(seed)
    posteriors = {name: view(one).posterior for name, one in fits.items()}
    _require_alike(posteriors)
    before = dict.fromkeys(posteriors, 1.0) if prior is None else dict(prior)
    if before.keys() != posteriors.keys() or not all(0.0 < p < np.inf for p in before.values()):
        raise InputError(
            f"pool: expected a prior above 0 for each of {', '.join(posteriors)}, found {before}; correct it."
        )
    logs = np.array([one.log_evidence + np.log(before[name]) for name, one in posteriors.items()])
    weights = np.exp(logs - np.logaddexp.reduce(logs))
    flat = _on_one_turn(list(fits.values()))
    shared = [name for name in flat[0] if all(name in other for other in flat)]
    rng = np.random.default_rng(seed)
    chosen = [
        rng.integers(0, len(next(iter(one.values()))), n) for one, n in zip(flat, _counts(weights, draws), strict=True)
    ]
    pooled = {name: np.concatenate([one[name][k] for one, k in zip(flat, chosen, strict=True)]) for name in shared}
    between = {name: _between([one[name] for one in flat], weights) for name in shared}
    return Pooled(dict(zip(posteriors, weights.tolist(), strict=True)), pooled, between)


def _on_one_turn(fits: Sequence[Posterior | View]) -> list[dict[str, np.ndarray]]:
    """Draws of each fit, chains joined, angles about its best value, which is moved by turns towards the first's."""
    first = view(fits[0])
    periods = {name: one.period for name, one in first.meanings.items()}
    found = []
    for one in map(view, fits):
        best = {name: value for name, value in one.posterior.best.items() if name in first.posterior.best}
        about = {**one.posterior.best, **unwrap(best, first.posterior.best, periods)}
        found.append(unwrap(one.posterior.flat(), about, periods))
    return found


def _require_alike(posteriors: Mapping[str, Posterior]) -> None:
    if len(posteriors) < 2:
        raise InputError(f"pool: expected two fits or more, found {len(posteriors)}; name another.")
    first = next(iter(posteriors.values()))
    for name, one in posteriors.items():
        if not one.sampled or not np.isfinite(one.log_evidence):
            raise InputError(f"pool: expected draws and an evidence of every fit, '{name}' has none; sample it.")
        if one.observations != first.observations or not all(_same(one.tree[o], first.tree[o]) for o in one.plans):
            raise InputError(f"pool: expected fits of the same data, those of '{name}' are others; fit the same ones.")


def _same(one: object, other: object) -> bool:
    return all(np.array_equal(getattr(one, field), getattr(other, field), equal_nan=True) for field in ("data", "used"))


def _counts(weights: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers in these proportions that sum to a total: the largest remainders are rounded up."""
    counts = np.floor(weights * total).astype(int)
    counts[np.argsort(counts - weights * total)[: total - counts.sum()]] += 1
    return counts


def _between(draws: Sequence[np.ndarray], weights: np.ndarray) -> float:
    means = np.stack([np.mean(one, axis=0) for one in draws])
    middle = np.tensordot(weights, means, axes=1)
    across = np.tensordot(weights, (means - middle) ** 2, axes=1)
    within = np.tensordot(weights, np.stack([np.var(one, axis=0) for one in draws]), axes=1)
    return float(np.max(across / np.maximum(across + within, np.finfo(float).tiny)))
