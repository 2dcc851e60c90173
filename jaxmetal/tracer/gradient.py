"""A linear radial gradient."""

from __future__ import annotations

from typing import ClassVar

import jax

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class Gradient:
    """P = central + slope R.

    Attributes:
        central: value at the centre.
        slope: change per arcsec of deprojected radius.
    """

    turns: ClassVar[int] = 0

    central: jax.Array | float = parameter("property", role="central")
    slope: jax.Array | float = parameter("property/arcsec", role="slope")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return self.central + self.slope * radius(u, v)

    def smallest_scale(self) -> float:
        """Infinite: a cone has no details but its tip, which the sampling of the light resolves."""
        return float("inf")
