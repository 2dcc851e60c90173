"""A stated correction for pixels that repeat each other."""

from __future__ import annotations

from typing import Any

import jax

from jaxmetal.likelihood.contract import Law, Noise
from jaxmetal.numerics.tree import node, parameter


@node
class EffectiveSamples:
    """A noise whose pixels share independent measurements: log densities are divided by `correlated_pixels`.

    The cheap stand-in for `Correlated`. N pixels weigh as N / correlated_pixels independent ones, so errors of the
    parameters grow by sqrt(correlated_pixels). For noise smoothed by a Gaussian of full width f pixels,
    correlated_pixels = 1 / sum(kernel^2) = 2 pi f^2 / (4 ln 2), about 2.27 f^2.

    Attributes:
        noise: noise of one pixel.
        correlated_pixels: number of pixels that share one independent measurement, >= 1.
    """

    noise: Noise
    correlated_pixels: Any = parameter("", within="[1, inf)", role="number")

    def mean(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Mean of every datum."""
        return self.noise.mean(model, light)

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Standard deviation of one pixel, of the shape of `model`."""
        return self.noise.standard_deviation(model, light)

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum / correlated_pixels; 0 where not `used`."""
        return self.noise.pointwise(data, model, light, used) / self.correlated_pixels

    def expected(self, model: jax.Array, light: jax.Array, used: jax.Array, law: Law) -> jax.Array:
        """Expected log density of every datum / correlated_pixels; 0 where not `used`."""
        return self.noise.expected(model, light, used, law._replace(noise=law.noise.noise)) / self.correlated_pixels

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`: right in every pixel, without the correlation between them."""
        return self.noise.draw(key, model, light)
