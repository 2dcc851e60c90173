"""Draws from mixtures of Student-t's, straight or bent, weighed by the posterior, and how good their weights are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.fit import evaluate
from jaxmetal.fit.bent import Bent
from jaxmetal.fit.branches import Branches
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.pool import Pool
from jaxmetal.fit.problem import Problem
from jaxmetal.fit.student import StudentMixture

FEWEST = 0.02
"""Share of effective draws below which so few weights remain that their tail cannot be judged."""

TAIL = 25
"""Draws below which the tail of their weights, a fifth of them, is too short to be judged."""


TELLING = 20
"""Least effective draws per dimension of a covariance."""


Mixture = StudentMixture | Bent | Branches | Pool
"""What draws come from: it has `draw`, `log_density`, `fitted`, `good` and `described`."""


class Proposals(NamedTuple):
    """Draws from a mixture, and what the posterior says of them.

    Attributes:
        mixture: that they come from.
        vectors: shape (draws, size).
        log_density: of the posterior there, shape (draws,).
        log_ratio: log posterior density over that of the mixture, shape (draws,).
        k_hat: Pareto shape of the importance weights: below 0.5 their variance is finite, below 0.7 they can still be
            trusted (Vehtari et al. 2024, JMLR 25, 72); infinite where nearly all weight lies on a few draws.
    """

    mixture: Mixture
    vectors: np.ndarray
    log_density: np.ndarray
    log_ratio: np.ndarray
    k_hat: float

    @property
    def weights(self) -> np.ndarray:
        """Importance weights, the largest being 1."""
        return relative_weights(self.log_ratio)


def propose(
    problems: Problem,
    which: Sequence[int],
    mixtures: Sequence[Mixture],
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


def _weigh(mixture: Mixture, vectors: np.ndarray, log_target: np.ndarray) -> Proposals:
    log_ratio = log_ratios(log_target, mixture.log_density(vectors))
    return Proposals(mixture, vectors, log_target, log_ratio, pareto_shape(log_ratio))


def log_ratios(log_target: np.ndarray, log_proposal: np.ndarray) -> np.ndarray:
    """log weights; a density that is zero or no number has none."""
    return np.where(np.isfinite(log_target), log_target - log_proposal, -np.inf)


def spread(proposals: Proposals, around: Laplace) -> Laplace | None:
    """The Gaussian of the covariance that proposals tell, about the same mode; None where they tell none.

    Args:
        proposals: their weights are truncated.
        around: the Laplace approximation.
    """
    weights = truncated(proposals.weights)
    if effective(weights) < TELLING * around.mode.size:
        return None
    covariance = np.cov(proposals.vectors, rowvar=False, aweights=weights).reshape(around.factor.shape)
    return around._replace(factor=np.linalg.cholesky(covariance).astype(around.factor.dtype))


def joined(some: Proposals, more: Proposals) -> Proposals:
    """Draws from the same mixture."""
    vectors, density, ratio = (
        np.concatenate([getattr(some, name), getattr(more, name)]) for name in ("vectors", "log_density", "log_ratio")
    )
    return Proposals(some.mixture, vectors, density, ratio, pareto_shape(ratio))


def together(turns: Sequence[Proposals], seed: SeedSequence) -> Proposals:
    """Draws of several turns as of one, in random order: no chain over them gets those of one turn alone.

    Args:
        turns: in the order in which they were made.
        seed: of the order.
    """
    pool = Pool(tuple(one.mixture for one in turns), tuple(len(one.vectors) for one in turns))
    vectors, density = (np.concatenate([getattr(one, name) for one in turns]) for name in ("vectors", "log_density"))
    order = np.random.default_rng(seed).permutation(len(vectors))
    return _weigh(pool, vectors[order], density[order])


def relative_weights(log_ratio: np.ndarray) -> np.ndarray:
    """exp(log_ratio), scaled so that the largest is 1."""
    return np.exp(log_ratio - np.max(log_ratio))


def truncated(weights: np.ndarray) -> np.ndarray:
    """At sqrt(draws) times their mean (Ionides 2008, J. Comp. Graph. Stat. 17, 295)."""
    return np.minimum(weights, np.sqrt(weights.size) * weights.mean())


def effective(weights: np.ndarray) -> float:
    """Number of draws that weights leave."""
    return efficiency(weights) * weights.size


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
    try:
        found = float(array_stats.psislw(np.minimum(np.max(log_ratio) - log_ratio, 1e300))[1])
    except ValueError:  # all in the tail are alike
        return np.inf
    return np.inf if np.isnan(found) else found
