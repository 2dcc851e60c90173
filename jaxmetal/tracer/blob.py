"""A local excess."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


@node
class Blob:
    """P = amplitude exp(-((u - u0)^2 + (v - v0)^2) / (2 sigma^2)): local enrichment, or inflow where it is negative.

    It is round on the disc; on a frame `OnSky` it is round on the sky. Add it to a radial profile with `Sum`.

    Attributes:
        u0: position along the major axis, arcsec.
        v0: deprojected position along the minor axis, arcsec.
        amplitude: the property's excess at the position.
        sigma: Gaussian radius, arcsec.
    """

    u0: jax.Array | float = parameter("arcsec", role="position")
    v0: jax.Array | float = parameter("arcsec", role="position")
    amplitude: jax.Array | float = parameter("property", role="amplitude")
    sigma: jax.Array | float = parameter("arcsec", within="(0, inf)", role="standard deviation")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        squared = jnp.square(u - self.u0) + jnp.square(v - self.v0)
        return self.amplitude * jnp.exp(-0.5 * squared / jnp.square(self.sigma))

    def smallest_scale(self) -> jax.Array | float:
        """The Gaussian radius, arcsec."""
        return self.sigma
