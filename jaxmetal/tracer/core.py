"""A radial gradient that flattens towards the centre."""

from __future__ import annotations

import jax

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, within


@node
class FlattenedCore:
    """P = central + slope (sqrt(R^2 + r_core^2) - r_core): flat within r_core, `slope` far beyond it, smooth between.

    Attributes:
        central: value at the centre.
        slope: slope at large radii, per arcsec.
        r_core: radius of the core, arcsec; 0 gives `Gradient`.
    """

    central: jax.Array | float
    slope: jax.Array | float
    r_core: jax.Array | float = within("[0, inf)")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.central + self.slope * (radius(radius(u, v), self.r_core) - self.r_core)

    def smallest_scale(self) -> jax.Array | float:
        """The radius of the core, arcsec."""
        return self.r_core
