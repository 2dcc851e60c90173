"""Gaussians integrated over pixels, one axis at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc


def pixel_integrals(edges: jax.Array, sigma: jax.Array, axis: int) -> jax.Array:
    """Integrals of a unit Gaussian over adjacent pixels whose edges lie at `edges` from its centre.

        W = |c(e) - c(e')| for edges on one side of the centre, else 1 - c(e) - c(e')
        c(e) = erfc(|e| / (sqrt(2) sigma)) / 2

    With |e| both terms fall together, so that W keeps its relative precision far in the wings, in float32 too.

    Args:
        edges: rising along `axis`, n + 1 of them for n pixels; in pixels.
        sigma: standard deviation, in pixels; broadcasts against `edges`.
        axis: of the edges.
    """
    right = edges >= 0.0
    # An edge on the centre counts as right of it, as in the derivative of its absolute value.
    outside = 0.5 * erfc(jnp.abs(edges) / (jnp.sqrt(2.0) * sigma))

    def pairs(values: jax.Array) -> tuple[jax.Array, jax.Array]:
        n = values.shape[axis]
        return tuple(jax.lax.slice_in_dim(values, k, n - 1 + k, axis=axis) for k in (0, 1))  # type: ignore[return-value]

    low, high = pairs(outside)
    low_right, high_right = pairs(right)
    apart = jnp.where(low_right, low - high, high - low)
    return jnp.where(low_right == high_right, apart, 1.0 - low - high)


def density(offset: jax.Array, sigma: jax.Array) -> jax.Array:
    """The unit Gaussian's density at `offset`, per pixel; both in pixels."""
    return jnp.exp(-0.5 * (offset / sigma) ** 2) / (jnp.sqrt(2.0 * jnp.pi) * sigma)
