"""A stated correction for pixels that repeat each other."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.likelihood.contract import Law, Noise, measured
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

    def measured(self, used: jax.Array) -> jax.Array:
        """All used data that are no limits of `noise`."""
        return measured(self.noise, used)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`, smoothed so that one pixel is as the noise says and they share measurements.

        The kernel is a Gaussian of width s = correlated_pixels^(1/d) / (2 sqrt(pi)) along each of the d axes, the last
        two of maps of several lines, for which sum(kernel^2) = 1 / correlated_pixels. Pixels whose standard deviation
        is not finite are left out of it.
        """
        sigma = self.standard_deviation(model, light)
        scatter = (self.noise.draw(key, model, light) - model) / sigma
        known = jnp.isfinite(scatter)
        scatter, power = jnp.where(known, scatter, 0.0), 1.0 * known
        axes = range(scatter.ndim)[-2:]
        s = self.correlated_pixels ** (1.0 / max(len(axes), 1)) / (2.0 * jnp.sqrt(jnp.pi))
        for axis in axes:
            lag = jnp.arange(scatter.shape[axis])[:, None] - jnp.arange(scatter.shape[axis])
            kernel = jnp.exp(-0.5 * (lag / s) ** 2)
            scatter = jnp.moveaxis(jnp.tensordot(kernel, scatter, axes=(1, axis)), 0, axis)
            power = jnp.moveaxis(jnp.tensordot(kernel**2, power, axes=(1, axis)), 0, axis)
        return model + jnp.where(known, scatter * jax.lax.rsqrt(power), jnp.nan) * sigma
