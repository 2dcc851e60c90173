"""A radial gradient that flattens towards the centre."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class FlattenedCore:
    """P = central + slope (sqrt(R^2 + r_core^2) - r_core): flat within r_core, `slope` far beyond it, smooth between.

    Attributes:
        central: value at the centre.
        slope: slope at large radii, per arcsec.
        r_core: radius of the core, arcsec; 0 gives `Gradient`.
    """

    turns: ClassVar[int] = 0

    central: jax.Array | float = parameter("property", role="central")
    slope: jax.Array | float = parameter("property/arcsec", role="slope")
    r_core: jax.Array | float = parameter("arcsec", within="[0, inf)", role="core radius")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.central + self.slope * (radius(radius(u, v), self.r_core) - self.r_core)

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """The radius of the core, arcsec, and outside it that of the place."""
        return jnp.hypot(self.r_core, radius)
