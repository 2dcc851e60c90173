"""A linear radial gradient."""

from __future__ import annotations

import jax

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node


@node
class Gradient:
    """P = central + slope R.

    Attributes:
        central: value at the centre.
        slope: change per arcsec of deprojected radius.
    """

    central: jax.Array | float
    slope: jax.Array | float

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.central + self.slope * radius(u, v)

    def smallest_scale(self) -> float:
        """Infinite: a cone has no details but its tip, which the sampling of the light resolves."""
        return float("inf")
