"""Gaussians integrated over pixels, one axis at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc


def pixel_integral(offset: jax.Array, sigma: jax.Array) -> jax.Array:
    """Integral of a unit Gaussian over a pixel of unit width whose centre lies `offset` from the Gaussian's.

        W(x) = (erfc((|x| - 1/2) / (sqrt(2) sigma)) - erfc((|x| + 1/2) / (sqrt(2) sigma))) / 2

    With |x| both terms fall together, so that W keeps its relative precision far in the wings, in float32 too.

    Args:
        offset: in pixels.
        sigma: standard deviation, in pixels.
    """
    x = jnp.abs(offset)
    scale = 1.0 / (jnp.sqrt(2.0) * sigma)
    return 0.5 * (erfc((x - 0.5) * scale) - erfc((x + 0.5) * scale))


def density(offset: jax.Array, sigma: jax.Array) -> jax.Array:
    """The unit Gaussian's density at `offset`, per pixel; both in pixels."""
    return jnp.exp(-0.5 * (offset / sigma) ** 2) / (jnp.sqrt(2.0 * jnp.pi) * sigma)
