"""A free radial profile."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node


@node
class RadialNodes:
    """A radial profile by its values at given radii: linear between them, flat within the first and beyond the last.

    Attributes:
        radii: shape (k,), increasing, arcsec.
        values: the property at these radii, shape (k,).
    """

    radii: jax.Array
    values: jax.Array

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return jnp.interp(radius(u, v), self.radii, self.values)

    def smallest_scale(self) -> float:
        """None: a kink has no width."""
        return 0.0
