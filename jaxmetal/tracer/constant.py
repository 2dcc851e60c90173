"""One value everywhere."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node


@node
class Constant:
    """P = value.

    Attributes:
        value: in the property's unit.
    """

    value: jax.Array | float

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The value, in the shape of the coordinates (arcsec)."""
        return self.value + jnp.zeros_like(u + v)

    def smallest_scale(self) -> float:
        """Infinite: it is the same everywhere."""
        return float("inf")
