"""A free radial profile."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class RadialNodes:
    """A radial profile by its values at given radii: linear between them, flat within the first and beyond the last.

    Attributes:
        radii: shape (k,), increasing, arcsec.
        values: the property at these radii, shape (k,).
    """

    turns: ClassVar[int] = 0
    kinked: ClassVar[bool] = True

    radii: jax.Array = parameter("arcsec", role="radius", several=True)
    values: jax.Array = parameter("property", role="value", several=True)

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        return jnp.interp(radius(u, v), self.radii, self.values)

    def smallest_scale(self) -> jax.Array:
        """The least distance of two radii, arcsec."""
        return jnp.min(jnp.diff(jnp.asarray(self.radii)), initial=jnp.inf)
