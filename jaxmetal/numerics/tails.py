"""Standard normal numbers by the probabilities on either side of them, each known where it is small."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, ndtr, ndtri

LEAST = 1e-15
"""Probability beyond which `from_tails` does not go unless told so."""


def from_tails(below: jax.Array, above: jax.Array, furthest: float = LEAST) -> jax.Array:
    """The standard normal number with these probabilities on either side, from the smaller one."""
    lower, upper = (jnp.clip(tail, furthest, 0.5) for tail in (below, above))
    return jnp.where(below < above, ndtri(lower), -ndtri(upper))


def hazard(z: jax.Array) -> jax.Array:
    """-ln Phi(-z)."""
    at = near(z)
    return jnp.where(z < 0.0, -jnp.log1p(-ndtr(jnp.minimum(at, 0.0))), -log_ndtr(-at))


def near(z: jax.Array) -> jax.Array:
    """z, but not so far out that the probability beyond it has no square (26 in float64, 9 in float32)."""
    furthest = -ndtri(jnp.asarray(least(), z.dtype))
    return jnp.clip(z, -furthest, furthest)


def least() -> float:
    """The smallest probability that has a square."""
    return float(jnp.finfo(jnp.result_type(float)).tiny) ** 0.5
