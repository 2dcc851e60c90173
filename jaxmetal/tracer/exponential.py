"""A radial exponential."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class Exponential:
    """P = floor + amplitude exp(-R / scale).

    Attributes:
        floor: value at large radii.
        amplitude: value at the centre minus the floor.
        scale: radius over which the excess falls by e, arcsec.
    """

    turns: ClassVar[int] = 0

    floor: jax.Array | float = parameter("property", role="floor")
    amplitude: jax.Array | float = parameter("property", role="amplitude")
    scale: jax.Array | float = parameter("arcsec", within="(0, inf)", role="scale length")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.floor + self.amplitude * jnp.exp(-radius(u, v) / self.scale)

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """The scale, arcsec; more where it has faded."""
        return jnp.sqrt(self.scale * jnp.maximum(self.scale, radius))
