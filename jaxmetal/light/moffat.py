"""The Moffat profile."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


@node
class Moffat:
    """A Moffat (1969, A&A 3, 455) profile: a core with power-law wings.

        I(R) = flux (beta - 1) / (pi a^2) (1 + (R / a)^2)^(-beta),    a^2 = r_eff^2 / (2^(1/(beta - 1)) - 1)

    Attributes:
        flux: total flux, in the units of the image.
        r_eff: half-light radius along the major axis, arcsec.
        beta: slope of the wings, I ~ R^(-2 beta); above 1, or the flux is infinite.
    """

    turns: ClassVar[int] = 0

    flux: jax.Array | float = parameter("flux", within="[0, inf)", role="flux")
    r_eff: jax.Array | float = parameter("arcsec", within="(0, inf)", role="half-light radius")
    beta: jax.Array | float = parameter("", within="(1, inf)", role="exponent")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        core = jnp.square(self.r_eff) / jnp.expm1(jnp.log(2.0) / (self.beta - 1.0))
        fall = jnp.exp(-self.beta * jnp.log1p((jnp.square(u) + jnp.square(v)) / core))
        return self.flux * (self.beta - 1.0) / (jnp.pi * core) * fall

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """Gaussian radius across the ridge that a thin disc makes of it, arcsec: (-d ln I / d R / R)^(-1/2)."""
        core = jnp.square(self.r_eff) / jnp.expm1(jnp.log(2.0) / (self.beta - 1.0))
        return jnp.sqrt((core + jnp.square(radius)) / (2.0 * self.beta))

    def half_light_radius(self) -> jax.Array | float:
        """Along the major axis, arcsec."""
        return self.r_eff
