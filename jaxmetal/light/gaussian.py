"""The Gaussian profile."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


@node
class Gaussian:
    """A round Gaussian on the disc, half of it within r_eff.

        I(R) = flux ln 2 / (pi r_eff^2) 2^(-(R / r_eff)^2)

    Its standard deviation is r_eff / sqrt(2 ln 2) = 0.849 r_eff.

    Attributes:
        flux: total flux, in the units of the image.
        r_eff: half-light radius along the major axis, arcsec.
    """

    turns: ClassVar[int] = 0

    flux: jax.Array | float = parameter("flux", within="[0, inf)", role="flux")
    r_eff: jax.Array | float = parameter("arcsec", within="(0, inf)", role="half-light radius")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        log2, area = jnp.log(2.0), jnp.square(self.r_eff)
        return self.flux * log2 / (jnp.pi * area) * jnp.exp(-log2 * (jnp.square(u) + jnp.square(v)) / area)

    def smallest_scale(self) -> jax.Array:
        """The standard deviation, arcsec."""
        return self.r_eff / jnp.sqrt(2.0 * jnp.log(2.0))

    def half_light_radius(self) -> jax.Array | float:
        """Along the major axis, arcsec."""
        return self.r_eff
