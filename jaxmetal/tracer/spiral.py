"""Enhancement along spiral arms."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import angle
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.tracer.harmonics import away_from_centre


@node
class SpiralArms:
    """Logarithmic spirals R = exp((phi - phase) tan(pitch)), R in arcsec, the property raised along them.

        P = amplitude R^2 / (R^2 + r_core^2) exp((cos psi - 1) / (m width)^2)
        psi = m (phi - phase - ln sqrt(R^2 + r_core^2) / tan(pitch))

    On a crest psi = 0; a displacement d in azimuth lowers P as exp(-d^2 / (2 width^2)). The core ends the winding,
    which otherwise has no end at the centre. Add it to a radial profile with `Sum`.

    Attributes:
        m: number of arms.
        pitch: pitch angle in degrees, 0 < pitch < 180: small is tightly wound, 90 straight, above 90 winds the other
            way round.
        phase: azimuth of an arm at R = 1 arcsec, degrees.
        amplitude: enhancement on a crest, in the property's unit.
        width: Gaussian width of an arm in azimuth, degrees.
        r_core: the arms fade and stop winding within this radius, arcsec; above 0.
    """

    m: int = static(within="[1, 100]")
    pitch: jax.Array | float = parameter("deg", within="(0, 180)", role="pitch angle")
    phase: jax.Array | float = parameter("deg", role="phase", period=lambda arms, _: 360.0 / arms.m)
    amplitude: jax.Array | float = parameter("property", role="amplitude")
    width: jax.Array | float = parameter("deg", within="(0, inf)", role="standard deviation")
    r_core: jax.Array | float = parameter("arcsec", within="(0, inf)", role="core radius")

    @property
    def turns(self) -> int:
        """m: turned by one arm, the arms are the same."""
        return self.m

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        log_radius = 0.5 * jnp.log(jnp.square(u) + jnp.square(v) + jnp.square(self.r_core))
        # The cotangent by its own name: tan(90 degrees) has none.
        cotangent = jnp.cos(jnp.deg2rad(self.pitch)) / jnp.sin(jnp.deg2rad(self.pitch))
        psi = self.m * (angle(u, v) - jnp.deg2rad(self.phase) - log_radius * cotangent)
        crest = jnp.exp((jnp.cos(psi) - 1.0) / jnp.square(self.m * jnp.deg2rad(self.width)))
        return self.amplitude * away_from_centre(u, v, self.r_core) * crest

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """Width across an arm, arcsec."""
        return jnp.deg2rad(self.width) * jnp.sin(jnp.deg2rad(self.pitch)) * jnp.hypot(self.r_core, radius)
