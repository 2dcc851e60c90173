"""Radii and their powers with finite derivatives at the centre.

The derivative of sqrt(u^2 + v^2) at the origin is 0/0. Every direction is alike there, so the value used is zero. The
inner `where` keeps the bad number out of the discarded branch too: zero times infinity would still be NaN.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def radius(u: ArrayLike, v: ArrayLike) -> jax.Array:
    """R = sqrt(u^2 + v^2); exactly 0 with zero gradient at the origin."""
    squared = jnp.square(u) + jnp.square(v)
    centre = squared == 0.0
    return jnp.where(centre, 0.0, jnp.sqrt(jnp.where(centre, 1.0, squared)))


def power(base: ArrayLike, exponent: ArrayLike) -> jax.Array:
    """base^exponent for base >= 0 and exponent > 0; exactly 0 with zero gradient at base = 0."""
    centre = base == 0.0
    # As an exponential of a logarithm, which compilers vectorise where they call a library for a general power.
    return jnp.where(centre, 0.0, jnp.exp(exponent * jnp.log(jnp.where(centre, 1.0, base))))


def angle(u: ArrayLike, v: ArrayLike) -> jax.Array:
    """Azimuth atan2(v, u) in radians; 0 with zero gradient at the origin."""
    centre = jnp.square(u) + jnp.square(v) == 0.0
    return jnp.where(centre, 0.0, jnp.arctan2(jnp.where(centre, 0.0, v), jnp.where(centre, 1.0, u)))
