"""What every noise is."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax

PER_DATUM = "per datum"
"""What the metadata of a noise's field say where it holds something for each datum that is no `parameter`."""


class Law(NamedTuple):
    """What data are drawn from.

    Attributes:
        noise: a `Noise`.
        model: the predicted map.
        light: the blurred model light.
    """

    noise: Any
    model: jax.Array
    light: jax.Array


class Noise(Protocol):
    """A node (`numerics.tree.node`); no base class is needed. Arrays are of the shape of the data."""

    def mean(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Expectation of the data: the model, where errors do not lean to one side (`moments.about_model`)."""

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """The width that residuals, data minus `mean`, are divided by, in the units of the data."""

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Natural-log density of every datum, normalised over the data; 0 where not `used`, whatever is there."""

    def expected(self, model: jax.Array, light: jax.Array, used: jax.Array, law: Law) -> jax.Array:
        """Expectation of `pointwise` over data of a law of the same kind (`moments.averaged`, for independent data)."""

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""


def measured(noise: Any, used: Any) -> Any:
    """Which used data scatter around the model: all, but those that a noise with a method `measured(used)` leaves out.

    The others are limits, which have no residual.
    """
    return noise.measured(used) if hasattr(type(noise), "measured") else used


def is_normal(noise: Any) -> bool:
    """Whether each datum is normal with the noise's mean and standard deviation, and independent, as it says itself."""
    return bool(getattr(type(noise), "normal", False))
