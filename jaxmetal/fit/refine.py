"""Better proposals where those of the Laplace approximation are poor: from mixtures that come to follow the posterior.

Each turn fits a mixture to all draws so far, weighed as if they came from all proposals together (adaptive importance
sampling: Cappe et al. 2008, Stat. Comput. 18, 447; Cornuet et al. 2012, Scand. J. Stat. 39, 798). A draw costs one
density; NUTS, where the Laplace approximation whitens badly, some ten gradients. So turns go on as long as they are
far cheaper than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.fit.problem import Problem
from jaxmetal.fit.proposals import (
    Mixture,
    Proposals,
    effective,
    efficiency,
    joined,
    log_ratios,
    propose,
    relative_weights,
    together,
    truncated,
)
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.student import pooled

TRUSTED = 0.7
"""Largest Pareto k-hat at which proposals can be corrected one by one."""

POINTS = 5
"""Least effective draws per component and dimension."""

ENOUGH, MORE = 0.75, 5
"""Effective draws, over those there were first, below which more are drawn; how many times as many at most."""


class Turn(NamedTuple):
    """Of the adaptation.

    Attributes:
        parts: most components of the mixture, besides one for every further maximum and the wide one.
        times: draws, in units of the first.
        above: k-hat from which the turn is taken; it is infinite where weight lies on very few draws.
        below: largest k-hat of the best so far at which it is: what is farther off will not be caught.
    """

    parts: int
    times: int
    above: float
    below: float = np.inf


TURNS = (
    Turn(2, 1, 0.3),
    Turn(4, 1, 0.3),
    Turn(6, 1, 0.3),
    Turn(6, 2, 0.5),
    Turn(8, 4, 0.6),
    Turn(10, 8, 0.6),
    Turn(16, 16, 0.6, 1.0),
)


def refine(
    problems: Problem,
    which: Sequence[int],
    first: Sequence[Proposals],
    seeds: Sequence[SeedSequence],
    maxima: Sequence[int],
    progress: bool = False,
) -> list[Proposals]:
    """Better proposals, and more of them.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each set of proposals.
        first: drawn from Laplace approximations, or along ridges.
        seeds: of each.
        maxima: of each.
        progress: see `propose`.

    Returns:
        For each a whole multiple of the number of draws in `first`.
    """
    pools = [[found] for found in first]
    best = list(first)

    def drawn(some: dict[int, Mixture], times: Sequence[int], turn: int) -> dict[int, Proposals]:
        if not some:
            return {}
        places, anew = [which[i] for i in some], [branch(seeds[i], turn) for i in some]
        draws = [n * len(first[i].log_ratio) for i, n in zip(some, times, strict=True)]
        return dict(zip(some, propose(problems, places, list(some.values()), anew, draws, progress), strict=True))

    for turn, now in enumerate(TURNS):
        poor = [i for i, pool in enumerate(pools) if _poor(now, pool) and _worth(now, best[i], first[i])]
        parts = [now.parts + maxima[i] - 1 for i in poor]
        adapted = {i: followed(pools[i], n, branch(seeds[i], turn, 0)) for i, n in zip(poor, parts, strict=True)}
        for i, found in drawn(adapted, [now.times] * len(adapted), turn).items():
            pools[i].append(found)
            best[i] = _better(pools[i], branch(seeds[i], turn, 1))
    lacking = {i: lack for i, found in enumerate(best) if (lack := _lack(found, len(first[i].log_ratio)))}
    for i, found in drawn({i: best[i].mixture for i in lacking}, list(lacking.values()), len(TURNS)).items():
        best[i] = joined(best[i], found)
    return best


def _poor(turn: Turn, pool: Sequence[Proposals]) -> bool:
    """Whether the turn is worth its draws.

    Infinite k-hats tell of a part that the mixture did not know; the next mixture has seen its edge alone.
    """
    known, last = bool(np.any(np.isfinite(pool[-1].log_ratio))), pool[-1]
    return known and (last.k_hat >= max(turn.above, last.mixture.good) or (len(pool) > 1 and np.isinf(pool[-2].k_hat)))


def _worth(turn: Turn, best: Proposals, first: Proposals) -> bool:
    """Whether there are too few effective draws among the best, or too uncertain ones, and hope."""
    few = effective(best.weights) < ENOUGH * len(first.log_ratio)
    return (best.k_hat >= turn.above or few) and best.k_hat <= turn.below


def _better(pool: Sequence[Proposals], seed: SeedSequence) -> Proposals:
    """The last, or all together: nothing less, for what has not seen a tail may look better than what has."""
    whole = together(pool, seed)
    return pool[-1] if pool[-1].k_hat <= whole.k_hat else whole


def _lack(proposals: Proposals, wanted: int) -> int:
    """How many times `wanted` draws are needed besides those that there are."""
    if proposals.k_hat == np.inf:
        return 0
    share = efficiency(proposals.weights)
    there = len(proposals.log_ratio) / wanted
    return max(0, min(MORE, int(np.ceil(ENOUGH / share))) - int(there))


def followed(pool: Sequence[Proposals], parts: int, seed: SeedSequence) -> Mixture:
    """A mixture of at most so many parts that follows the posterior as all proposals of a pool know it."""
    vectors, log_target = (np.concatenate([getattr(one, name) for one in pool]) for name in ("vectors", "log_density"))
    counts = [len(one.vectors) for one in pool]
    least = POINTS * vectors.shape[1]
    weights = tempered(log_ratios(log_target, pooled([one.mixture for one in pool], counts, vectors)), least)
    affordable = int(effective(weights) / least)
    return pool[-1].mixture.fitted(vectors, weights, max(1, min(parts, affordable)), np.random.default_rng(seed))


def tempered(log_ratio: np.ndarray, least: float) -> np.ndarray:
    """Weights, truncated, and flattened by a power until so many draws are effective.

    Where they lie on a few draws, a power below 1 moves the mixture towards the posterior step by step (Koblents &
    Miguez 2015, Stat. Comput. 25, 407).
    """
    least = min(least, 0.5 * np.sum(np.isfinite(log_ratio)))
    power = 1.0
    while True:
        weights = truncated(relative_weights(power * log_ratio))
        if effective(weights) >= least:
            return weights
        power *= 0.5
