"""One value everywhere."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


@node
class Constant:
    """P = value.

    Attributes:
        value: in the property's unit.
    """

    turns: ClassVar[int] = 0

    value: jax.Array | float = parameter("property", role="value")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The value, in the shape of the coordinates (arcsec)."""
        return self.value + jnp.zeros_like(u + v)

    def smallest_scale(self) -> float:
        """Infinite: it is the same everywhere."""
        return float("inf")
