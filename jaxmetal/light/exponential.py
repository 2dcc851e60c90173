"""The exponential disc."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, within

HALF_LIGHT = 1.6783469900166605
"""Half-light radius over scale length: the root of (1 + x) exp(-x) = 1/2."""


@node
class Exponential:
    """An exponential disc (Freeman 1970, ApJ 160, 811), its scale length h = r_eff / 1.678.

        I(R) = flux / (2 pi h^2) exp(-R / h)

    Attributes:
        flux: total flux, in the units of the image.
        r_eff: half-light radius along the major axis, arcsec.
    """

    flux: jax.Array | float = within("[0, inf)")
    r_eff: jax.Array | float = within("(0, inf)")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        scale = self.r_eff / HALF_LIGHT
        return self.flux / (2.0 * jnp.pi * jnp.square(scale)) * jnp.exp(-radius(u, v) / scale)

    def smallest_scale(self) -> jax.Array | float:
        """The half-light radius, arcsec."""
        return self.r_eff

    def half_light_radius(self) -> jax.Array | float:
        """Along the major axis, arcsec."""
        return self.r_eff
