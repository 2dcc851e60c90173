"""The exponential disc."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter

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

    turns: ClassVar[int] = 0

    flux: jax.Array | float = parameter("flux", within="[0, inf)", role="flux")
    r_eff: jax.Array | float = parameter("arcsec", within="(0, inf)", role="half-light radius")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        scale = self.r_eff / HALF_LIGHT
        return self.flux / (2.0 * jnp.pi * jnp.square(scale)) * jnp.exp(-radius(u, v) / scale)

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """Gaussian radius across the ridge that a thin disc makes of it, arcsec: (-d ln I / d R / R)^(-1/2)."""
        return jnp.sqrt(self.r_eff / HALF_LIGHT * radius)

    def half_light_radius(self) -> jax.Array | float:
        """Along the major axis, arcsec."""
        return self.r_eff
