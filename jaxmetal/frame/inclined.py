"""A disc of finite thickness seen at an inclination."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.frame.disc import Disc, half_or_whole
from jaxmetal.numerics.tree import node, parameter


@node
class InclinedDisc:
    """The same plane as `Disc`, its axis ratio from an inclination and a thickness (Hubble 1926, ApJ 64, 321).

        q^2 = cos^2 i + thickness^2 sin^2 i

    Attributes:
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        inclination: i in degrees, 0 is face-on.
        thickness: intrinsic axis ratio c/a of the disc seen edge-on; 0 is a thin disc, which cannot be edge-on.
        pa: position angle of the major axis, degrees East of North; any real number.
    """

    x0: jax.Array | float = parameter("arcsec", role="centre x", default=0.0)
    y0: jax.Array | float = parameter("arcsec", role="centre y", default=0.0)
    inclination: jax.Array | float = parameter("deg", within="[0, 90]", role="inclination", default=0.0)
    thickness: jax.Array | float = parameter("", within="[0, 1]", role="thickness", default=0.0)
    pa: jax.Array | float = parameter("deg", role="position angle", period=half_or_whole, default=0.0)

    @property
    def axis_ratio(self) -> jax.Array:
        """Projected b/a."""
        i = jnp.deg2rad(self.inclination)
        return jnp.sqrt(jnp.cos(i) ** 2 + (self.thickness * jnp.sin(i)) ** 2)

    def to_plane(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Sky position (arcsec) to (u, v) on the disc (arcsec)."""
        return Disc(x0=self.x0, y0=self.y0, q=self.axis_ratio, pa=self.pa).to_plane(x, y)
