"""What every noise is."""

from __future__ import annotations

from typing import Any, Protocol

import jax


class Noise(Protocol):
    """A node (`numerics.tree.node`); no base class is needed. Arrays are of the shape of the data."""

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """The width that residuals are divided by, in the units of the data."""

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Natural-log density of every datum, normalised over the data; 0 where not `used`, whatever is there."""

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""


def measured(noise: Any, used: Any) -> Any:
    """Which used data scatter around the model: all, but those that a noise with a method `measured(used)` leaves out.

    The others are limits, which have no residual.
    """
    return noise.measured(used) if hasattr(type(noise), "measured") else used
