"""What galaxies must have in common to share a compiled program."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.fit.padding import sizes
from jaxmetal.model import tree
from jaxmetal.prior import split


def signature(prepared: Any) -> Any:
    """What trees must have in common to share a program: structure, names and shapes (hashable).

    Args:
        prepared: any tree; of a galaxy, its prepared `fit.problem.Problem`.
    """
    leaves, structure = jax.tree.flatten(prepared)
    return structure, tuple((np.shape(leaf), jnp.result_type(leaf)) for leaf in leaves)


def foreseen(scene: Any, observations: Mapping[str, Any]) -> Hashable:
    """As much of the `signature` of a galaxy's problem as is known before it is prepared.

    Structure, kinds and shapes of priors, shapes of pixels and data. A plan keeps apart what differs here; the sample
    grids, which follow from PSFs and profiles, may still divide what agrees.

    Args:
        scene: prior.
        observations: name -> observation, padded if they will be.
    """
    skeleton, sites = split(tree(scene, observations))
    priors = tuple((name, type(prior).__name__, prior.shape()) for name, prior in sites.items())
    return jax.tree.structure(skeleton), priors, sizes(observations)
