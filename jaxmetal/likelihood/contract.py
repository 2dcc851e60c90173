"""What every noise is."""

from __future__ import annotations

from typing import Protocol

import jax


class Noise(Protocol):
    """A node (`numerics.tree.node`); no base class is needed. Arrays are of the shape of the data."""

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """The width that residuals are divided by, in the units of the data."""

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Natural-log density of every datum, normalised over the data; 0 where not `used`, whatever is there."""

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""
