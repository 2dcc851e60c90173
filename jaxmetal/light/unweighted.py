"""No light at all: every patch of sky counts the same."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node


@node
class Unweighted:
    """A surface brightness of 1 all over the image plane, to compare with codes that blur a property without its light.

    A map weighted by it is the property itself, blurred: FRApy's operator (Patricio et al. 2019, MNRAS 489, 224). What
    a telescope records is weighted by light; gradients from the two operators differ and must not be mixed.
    """

    on_sky: ClassVar[bool] = True
    plane: ClassVar[str] = "image"

    def __call__(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """1 at every sky position."""
        return jnp.ones_like(x)

    def smallest_scale(self) -> float:
        """None: it is the same everywhere."""
        return float("inf")
