"""Line-of-sight velocity of a rotating disc."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.ratios import arctan_ratio
from jaxmetal.numerics.tree import node, parameter


@node
class Rotation:
    """A rotating thin disc with an arctangent curve (Courteau 1997, AJ 114, 2402), cos(phi) = u / R.

        v = systemic + amplitude (2 / pi) arctan(R / r_turn) cos(phi)

    The half of the major axis to which `pa` points recedes for a positive amplitude.

    Attributes:
        systemic: velocity of the centre, km/s.
        amplitude: asymptotic velocity times the sine of the inclination, km/s.
        r_turn: turn-over radius, arcsec.
    """

    systemic: jax.Array | float = parameter("km/s", role="systemic velocity")
    amplitude: jax.Array | float = parameter("km/s", role="amplitude")
    r_turn: jax.Array | float = parameter("arcsec", within="(0, inf)", role="turn-over radius")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Velocity at (u, v) in arcsec, km/s."""
        squared = (jnp.square(u) + jnp.square(v)) / jnp.square(self.r_turn)
        return self.systemic + self.amplitude * (2.0 / jnp.pi) * (u / self.r_turn) * arctan_ratio(squared)

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """The turn-over radius, arcsec, and outside it that of the place."""
        return jnp.hypot(self.r_turn, radius)
