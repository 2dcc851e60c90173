"""Offsets from a lens along its own axes, and deflections back on the sky's."""

from __future__ import annotations

import jax
import jax.numpy as jnp

CORE = 1e-8
"""Arcsec; keeps value and gradient of singular lenses finite at the very centre.

It enters squared beside the square of a radius: beyond a milli-arcsecond convergences are off by 1e-10 of themselves.
"""

Number = float | jax.Array


def along_axes(dx: jax.Array, dy: jax.Array, pa: Number) -> tuple[jax.Array, jax.Array]:
    """An offset (West, North) along the direction at position angle `pa` (degrees East of North) and across it."""
    sin, cos = jnp.sin(jnp.deg2rad(pa)), jnp.cos(jnp.deg2rad(pa))
    return -sin * dx + cos * dy, -cos * dx - sin * dy


def on_sky(along: jax.Array, across: jax.Array, pa: Number) -> tuple[jax.Array, jax.Array]:
    """The inverse of `along_axes`."""
    sin, cos = jnp.sin(jnp.deg2rad(pa)), jnp.cos(jnp.deg2rad(pa))
    return -sin * along - cos * across, cos * along - sin * across
