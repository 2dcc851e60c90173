"""Independence Metropolis chains: proposals from the Laplace approximation, corrected by the posterior.

All densities are known before the chains begin, so that a draw costs one evaluation and no gradient (Tierney 1994,
Annals of Statistics 22, 1701, section 2.3.3). A rejection repeats a draw, so R-hat and effective samples mean what they
always do.
"""

from __future__ import annotations

import jax
import numpy as np

from jaxmetal.fit.chains import Chains
from jaxmetal.fit.laplace import Proposals


def walk(proposals: Proposals, key: jax.Array, chains: int) -> Chains:
    """Chains over the proposals, a share of them each; they begin at proposals picked by weight.

    Args:
        proposals: see `fit.laplace`.
        key: JAX random key.
        chains: number of chains; divides the number of proposals.
    """
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    log_ratio = proposals.log_ratio.reshape(chains, -1)
    thresholds = np.log(random.random(log_ratio.shape))
    weights = np.exp(proposals.log_ratio - proposals.log_ratio.max())
    held = random.choice(weights.size, size=chains, p=weights / weights.sum())
    index, accepted = np.empty(log_ratio.shape, int), np.empty(log_ratio.shape, bool)
    for step in range(log_ratio.shape[1]):
        offered = np.arange(chains) * log_ratio.shape[1] + step
        accepted[:, step] = thresholds[:, step] < proposals.log_ratio[offered] - proposals.log_ratio[held]
        held = np.where(accepted[:, step], offered, held)
        index[:, step] = held
    return Chains(
        vectors=proposals.vectors[index],
        log_density=proposals.log_density[index],
        diverging=np.zeros(index.shape, bool),
        leapfrogs=np.zeros(index.shape, int),
        accept=accepted.astype(float),
    )
