"""Expectations over data, as most noises take them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.likelihood.contract import Law
from jaxmetal.likelihood.masking import usable

NODES, REACH = 180, 9.0
"""Midpoints in t of data model + sigma sinh(t), |t| < REACH: out to 4,000 sigma, for the tails of a Cauchy law. None is
at 0, where densities of asymmetric errors have their kink."""


def about_model(noise: Any, model: jax.Array, light: jax.Array) -> jax.Array:
    """The mean of errors that do not lean to one side: the model itself."""
    return model


def averaged(noise: Any, model: jax.Array, light: jax.Array, used: jax.Array, law: Law) -> jax.Array:
    """Expected log density of each datum, int p(d | law) log p(d | noise, model) dd, where data are independent.

    By the midpoint rule, which converges exponentially here; the weights are normalised to what it and the tails beyond
    its reach miss.

    Args:
        noise: whose density is averaged.
        model: its prediction.
        light: its light.
        used: which data count; the others give 0.
        law: what the data are drawn from.
    """
    noise, model, light, law = usable(used, (noise, model, light, law))
    width = law.noise.standard_deviation(law.model, law.light)
    steps = (jnp.arange(NODES) + 0.5) * (2.0 * REACH / NODES) - REACH

    def add(sums: tuple[jax.Array, jax.Array], t: jax.Array) -> tuple[tuple[jax.Array, jax.Array], None]:
        data = law.model + width * jnp.sinh(t)
        weight = jnp.exp(law.noise.pointwise(data, law.model, law.light, used)) * width * jnp.cosh(t)
        return (sums[0] + weight, sums[1] + weight * noise.pointwise(data, model, light, used)), None

    nothing = jnp.zeros_like(width)
    (weight, total), _ = jax.lax.scan(add, (nothing, nothing), steps)
    return total / weight
