"""A radial exponential."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, within


@node
class Exponential:
    """P = floor + amplitude exp(-R / scale).

    Attributes:
        floor: value at large radii.
        amplitude: value at the centre minus the floor.
        scale: radius over which the excess falls by e, arcsec.
    """

    floor: jax.Array | float
    amplitude: jax.Array | float
    scale: jax.Array | float = within("(0, inf)")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.floor + self.amplitude * jnp.exp(-radius(u, v) / self.scale)

    def smallest_scale(self) -> jax.Array | float:
        """The scale, arcsec."""
        return self.scale
