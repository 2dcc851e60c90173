"""Joint draws from the posterior of one spectrum."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.machine import program
from jaxmetal.spaxel.adaptive import Levels
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.integrate import checked, draw_nodes, posterior_grid, settle


def joint(
    likelihood: Likelihood,
    flux: Any,
    sigma: Any,
    *,
    count: int = 8192,
    seed: int = 0,
    levels: Levels | None = None,
) -> dict[str, np.ndarray]:
    """Draws of Z, A(V) and intrinsic Hb of one spectrum, from its `grid`; both branches in their weights.

    Z and A(V) are even over the cell of a node, so that no trace of the grid is left in a histogram.

    Args:
        likelihood: as for `posterior`.
        flux: shape (features,).
        sigma: same.
        count: how many.
        seed: of the draws.
        levels: nodes of the grid.

    Returns:
        "z" (12 + log(O/H)), "a_v" (mag) and "hb" (the unit of the fluxes; NaN where the likelihood knows none), each of
        shape (count,), in random order.

    Raises:
        InputError: as `posterior`, if no draw is asked for, or the seed cannot be one.
    """
    require_count("count", count, 1)
    require_seed(seed)
    flux, sigma = checked(likelihood, flux, sigma)
    drawn = _joint(likelihood, flux, sigma, jax.random.key(seed), count, settle(likelihood, levels))
    return {name: np.asarray(values) for name, values in drawn.items()}


@program(static_argnames=("count", "levels"))
def _joint(
    likelihood: Likelihood, flux: jax.Array, sigma: jax.Array, key: jax.Array, count: int, levels: Levels
) -> dict[str, jax.Array]:
    found = posterior_grid(likelihood, flux, sigma, levels)
    node_key, z_key, a_v_key, hb_key, order_key = jax.random.split(key, 5)
    z, a_v = draw_nodes(found, node_key, count)
    z, a_v = _within(found.z, z, z_key), _within(found.a_v, a_v, a_v_key)
    hb = likelihood.draw_hb(hb_key, flux, sigma, z, a_v)
    order = jax.random.permutation(order_key, count)
    return {name: values[order] for name, values in {"z": z, "a_v": a_v, "hb": hb}.items()}


def _within(nodes: jax.Array, values: jax.Array, key: jax.Array) -> jax.Array:
    """Each value, one of the nodes, moved evenly between the middles to its neighbours; a single node stays."""
    if nodes.size == 1:
        return values
    edges = jnp.concatenate([nodes[:1], 0.5 * (nodes[1:] + nodes[:-1]), nodes[-1:]])
    cell = jnp.searchsorted(nodes, values)
    return edges[cell] + (edges[cell + 1] - edges[cell]) * jax.random.uniform(key, values.shape, nodes.dtype)
