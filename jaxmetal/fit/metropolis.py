"""Independence Metropolis chains: proposals from mixtures of Student-t's, corrected by the posterior.

All densities are known before the chains begin, so that a draw costs one evaluation and no gradient (Tierney 1994,
Annals of Statistics 22, 1701, section 2.3.3). A rejection repeats a draw, so R-hat and effective samples mean what they
always do.
"""

from __future__ import annotations

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.chains import Chains
from jaxmetal.fit.proposals import Proposals


def walk(proposals: Proposals, seed: SeedSequence, chains: int, draws: int) -> Chains:
    """Chains over the proposals, a share of them each; they begin at proposals picked by weight.

    Args:
        proposals: see `fit.proposals`; a multiple of chains times draws, of which the chains are thinned.
        seed: of the random numbers.
        chains: number of chains.
        draws: kept states of each.
    """
    random = np.random.default_rng(seed)
    steps = len(proposals.log_ratio) // chains
    offered = np.arange(chains * steps).reshape(chains, steps)
    ratios, thresholds = proposals.log_ratio[offered], np.log(random.random((chains, steps)))
    first = random.choice(proposals.weights.size, size=chains, p=proposals.weights / proposals.weights.sum())
    accepted, held = np.empty((chains, steps), bool), proposals.log_ratio[first]
    for step in range(steps):
        accepted[:, step] = thresholds[:, step] < ratios[:, step] - held
        held = np.where(accepted[:, step], ratios[:, step], held)
    # Each step holds what was accepted last: the columns of accepted steps rise.
    last = np.maximum.accumulate(np.where(accepted, np.arange(steps), -1), axis=1)
    index = np.where(last < 0, first[:, None], np.take_along_axis(offered, np.maximum(last, 0), axis=1))
    thin = steps // draws
    index, accept = index[:, thin - 1 :: thin], accepted.reshape(chains, draws, thin).mean(axis=2)
    return Chains(
        vectors=proposals.vectors[index],
        log_density=proposals.log_density[index],
        diverging=np.zeros(index.shape, bool),
        leapfrogs=np.zeros(index.shape, int),
        accept=accept,
    )
