"""The Gaussian that touches the posterior at its maximum: its quality, and its use for whitening and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.fit import evaluate
from jaxmetal.fit.curvature import rescale
from jaxmetal.fit.optimum import Optimum
from jaxmetal.fit.problem import Problem
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.student import StudentMixture, fitted, pooled

FEWEST = 0.02
"""Share of effective draws below which so few weights remain that their tail cannot be judged."""

TAIL = 25
"""Draws below which the tail of their weights, a fifth of them, is too short to be judged."""

GOOD = 0.3
"""k-hat from which proposals are drawn anew, from a mixture that follows those that there are."""

PARTS = (2, 4, 6)
"""Most components of the mixture, turn by turn."""

POINTS = 5
"""Least effective draws per component and dimension."""

ENOUGH, MORE = 0.75, 5
"""Share of effective draws below which more are drawn, and how many times as many at most."""


class Laplace(NamedTuple):
    """log p(z) ~ log_peak - (z - mode)^T H (z - mode) / 2 on the unconstrained vector z.

    Attributes:
        mode: shape (size,).
        factor: S with S S^T = H^-1: z = mode + S e with e standard normal.
        log_peak: log density at the mode, Jacobian included.
    """

    mode: np.ndarray
    factor: np.ndarray
    log_peak: Any

    @property
    def student(self) -> StudentMixture:
        """The t with this mode and scale."""
        return StudentMixture.single(self.mode, self.factor)

    @property
    def log_evidence(self) -> float:
        """log integral of the posterior density: log_peak + (d/2) log 2 pi + log |S|."""
        return float(self.log_peak + 0.5 * self.mode.size * np.log(2.0 * np.pi) + np.linalg.slogdet(self.factor)[1])


class Proposals(NamedTuple):
    """Draws from a mixture of Student-t's, and what the posterior says of them.

    Attributes:
        mixture: that they come from.
        vectors: shape (draws, size).
        log_density: of the posterior there, shape (draws,).
        log_ratio: log posterior density over that of the mixture, up to a constant, shape (draws,).
        k_hat: Pareto shape of the importance weights: below 0.5 their variance is finite, below 0.7 they can still be
            trusted (Vehtari et al. 2024, JMLR 25, 72); infinite where nearly all weight lies on a few draws.
    """

    mixture: StudentMixture
    vectors: np.ndarray
    log_density: np.ndarray
    log_ratio: np.ndarray
    k_hat: float

    @property
    def weights(self) -> np.ndarray:
        """Importance weights, the largest being 1."""
        return relative_weights(self.log_ratio)


def laplace(problems: Problem, which: Sequence[int], peaks: Sequence[Optimum]) -> list[Laplace]:
    """The approximations at maxima of the problems' unconstrained densities."""
    modes, scalings = (np.stack([getattr(peak, name) for peak in peaks]) for name in ("vector", "scaling"))
    factors = rescale(problems, np.asarray(which), modes, 1.0, scalings)
    return [
        Laplace(peak.vector, factor, np.asarray(peak.log_density, peak.vector.dtype))
        for peak, factor in zip(peaks, factors, strict=True)
    ]


def propose(
    problems: Problem,
    which: Sequence[int],
    mixtures: Sequence[StudentMixture],
    seeds: Sequence[SeedSequence],
    draws: Sequence[int],
    progress: bool = False,
) -> list[Proposals]:
    """Draws from mixtures, weighed by the posterior.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each mixture.
        mixtures: from which to draw.
        seeds: of each.
        draws: how many of each.
        progress: show a progress bar where it takes longer than a few seconds.
    """
    drawn = [mixture.draw(seed, count) for mixture, seed, count in zip(mixtures, seeds, draws, strict=True)]
    vectors = np.concatenate(drawn)
    label = f"weighing {len(vectors)} proposals" if progress else ""
    log_target = evaluate.values(problems, np.repeat(which, draws), vectors, label=label)
    targets = np.split(log_target, np.cumsum(draws)[:-1])
    return [_weigh(*one) for one in zip(mixtures, drawn, targets, strict=True)]


def _weigh(mixture: StudentMixture, vectors: np.ndarray, log_target: np.ndarray) -> Proposals:
    log_ratio = _ratio(log_target, mixture.log_density(vectors))
    return Proposals(mixture, vectors, log_target, log_ratio, pareto_shape(log_ratio))


def _ratio(log_target: np.ndarray, log_proposal: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(log_target), log_target - log_proposal, -np.inf)


def refine(
    problems: Problem,
    which: Sequence[int],
    first: Sequence[Proposals],
    seeds: Sequence[SeedSequence],
    progress: bool = False,
) -> list[Proposals]:
    """Better proposals where those of the Laplace approximation are poor: from mixtures, and more of them.

    Each turn fits a mixture to all draws so far, weighed as if they came from all proposals together (adaptive
    importance sampling: Cappe et al. 2008, Cornuet et al. 2012).

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each set of proposals.
        first: drawn from Laplace approximations.
        seeds: of each.
        progress: see `propose`.

    Returns:
        For each a whole multiple of the number of draws in `first`.
    """
    pools = [[found] for found in first]

    def drawn(some: dict[int, StudentMixture], times: Sequence[int], turn: int) -> dict[int, Proposals]:
        if not some:
            return {}
        places, anew = [which[i] for i in some], [branch(seeds[i], turn) for i in some]
        draws = [n * len(first[i].log_ratio) for i, n in zip(some, times, strict=True)]
        return dict(zip(some, propose(problems, places, list(some.values()), anew, draws, progress), strict=True))

    for turn, parts in enumerate(PARTS):
        poor = [i for i, pool in enumerate(pools) if GOOD <= pool[-1].k_hat < np.inf]
        adapted = {i: followed(pools[i], parts, branch(seeds[i], turn, 0)) for i in poor}
        for i, found in drawn(adapted, [1] * len(adapted), turn).items():
            pools[i].append(found)
    # The last know most of the posterior: what has not seen a tail may look better than what has.
    best = [pool[-1] for pool in pools]
    lacking = {i: lack for i, found in enumerate(best) if (lack := _lack(found))}
    for i, found in drawn({i: best[i].mixture for i in lacking}, list(lacking.values()), len(PARTS)).items():
        best[i] = _joined(best[i], found)
    return best


def _lack(proposals: Proposals) -> int:
    """How many times as many draws are needed besides those that there are."""
    if proposals.k_hat == np.inf:
        return 0
    return min(MORE, int(np.ceil(ENOUGH / efficiency(proposals.weights)))) - 1


def _joined(some: Proposals, more: Proposals) -> Proposals:
    """Draws from the same mixture."""
    vectors, density, ratio = (
        np.concatenate([getattr(some, name), getattr(more, name)]) for name in ("vectors", "log_density", "log_ratio")
    )
    return Proposals(some.mixture, vectors, density, ratio, pareto_shape(ratio))


def followed(pool: Sequence[Proposals], parts: int, seed: SeedSequence) -> StudentMixture:
    """A mixture of at most so many parts that follows the posterior as all proposals of a pool know it.

    Weights are truncated at sqrt(draws) times their mean (Ionides 2008, J. Comp. Graph. Stat. 17, 295).
    """
    vectors, log_target = (np.concatenate([getattr(one, name) for one in pool]) for name in ("vectors", "log_density"))
    counts = [len(one.vectors) for one in pool]
    weights = relative_weights(_ratio(log_target, pooled([one.mixture for one in pool], counts, vectors)))
    weights = np.minimum(weights, np.sqrt(weights.size) * weights.mean())
    affordable = int(efficiency(weights) * weights.size / (POINTS * vectors.shape[1]))
    return fitted(vectors, weights, max(1, min(parts, affordable)), np.random.default_rng(seed))


def relative_weights(log_ratio: np.ndarray) -> np.ndarray:
    """exp(log_ratio), scaled so that the largest is 1."""
    return np.exp(log_ratio - np.max(log_ratio))


def efficiency(weights: np.ndarray) -> float:
    """Share of draws that weights leave: (sum w)^2 / (n sum w^2)."""
    return float(weights.sum() ** 2 / (weights.size * np.sum(weights**2)))


def pareto_shape(log_ratio: np.ndarray) -> float:
    """k-hat by arviz-stats; infinite where it cannot be judged."""
    from arviz_stats.base import array_stats

    if log_ratio.size < TAIL or not np.isfinite(np.max(log_ratio)):
        return np.inf
    if efficiency(relative_weights(log_ratio)) < FEWEST:
        return np.inf
    # The library expects log-likelihoods left out, whose weights are their inverse.
    found = float(array_stats.psislw(np.minimum(np.max(log_ratio) - log_ratio, 1e300))[1])
    return np.inf if np.isnan(found) else found
