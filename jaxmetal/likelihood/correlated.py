"""Gaussian errors that neighbouring pixels share."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.linalg import solve_triangular

from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood.contract import Law, Noise
from jaxmetal.likelihood.masking import usable
from jaxmetal.numerics.tree import node, parameter


@node
class Correlated:
    """Gaussian errors with a stationary correlation between pixels.

        covariance_ij = s_i s_j [(1 - independent) correlation(lag_ij) + independent delta_ij] + jitter^2 delta_ij

    with s the standard deviation of `noise`, whose own jitter is thus as correlated as its sigma. The exact density
    is a Cholesky factorisation: memory grows as N^2 and time as N^3 with the number of pixels. A map with few used
    pixels should be made by `over`; above some 5,000 pixels `EffectiveSamples` is the practical choice.

    Attributes:
        noise: marginal noise of one pixel (Gaussian or LightScaled).
        correlation: called with lags in pixels (see `correlation.py`).
        independent: share of the variance of `noise` that no two pixels share, 0 to 1. It keeps the matrix
            invertible: a smooth correlation wider than 3 pixels has none of the small-scale power of real noise.
        jitter: independent scatter added in quadrature, in the units of the data.
        pixels: flat indices of the pixels that can be used; None for all.
        positions: (row, column) of every datum in pixels, shape (size, 2), for data that are no map (bins); None for
            the pixel indices.
    """

    noise: Noise
    correlation: Any = dataclasses.field(metadata={"room": "correlation"})
    independent: Any = parameter("", within="[0, 1]", role="share", default=1e-3)
    jitter: Any = parameter("data", within="[0, inf)", role="jitter", default=0.0)
    pixels: Any = None
    positions: Any = parameter("pixel", default=None)

    @classmethod
    def over(cls, used: np.ndarray, **fields: Any) -> Correlated:
        """The same, factorising the covariance of the pixels in the boolean array `used` only."""
        return cls(pixels=np.flatnonzero(used), **fields)

    def mean(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Mean of every pixel."""
        return self.noise.mean(model, light)

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Marginal standard deviation of every pixel, of the shape of `model`."""
        return jnp.sqrt(self.noise.standard_deviation(model, light) ** 2 + self.jitter**2)

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum given those before it in reading order; 0 where not `used`.

        The terms sum to the log density of the multivariate normal distribution of the used pixels. A pixel that is
        used but not among `pixels` gives NaN.
        """
        data, model, light, noise = usable(used, (data, model, light, self.noise))
        factor = self._factor(noise.standard_deviation(model, light), self._pick(used))
        # Unused pixels are rows and columns of the identity, and both their data and model are 1: they drop out.
        innovation = solve_triangular(factor, self._pick(data - model), lower=True)
        density = dist.Normal(0.0, 1.0).log_prob(innovation) - jnp.log(jnp.diagonal(factor))
        return jnp.where(used, self._place(density, jnp.shape(used)), 0.0)

    def expected(self, model: jax.Array, light: jax.Array, used: jax.Array, law: Law) -> jax.Array:
        """Expectation of `pointwise`; 0 where not `used`.

        Its terms sum to -1/2 [tr(C^-1 C_law) + r^T C^-1 r + log det(2 pi C)], r the difference of the models.
        """
        # Of the law's noise, too, what is of single data alone: the table of a correlation may have their shape.
        own, of_law = (model, light, self.noise), (law.model, law.light, law.noise.noise)
        (model, light, noise), (law_model, law_light, marginal) = usable(used, (own, of_law))
        kept = self._pick(used)
        factor = self._factor(noise.standard_deviation(model, light), kept)
        drawn = law.noise._factor(marginal.standard_deviation(law_model, law_light), kept)
        spread = jnp.sum(jnp.square(solve_triangular(factor, drawn, lower=True)), axis=1)
        shift = solve_triangular(factor, self._pick(law_model - model), lower=True)
        density = -0.5 * (spread + shift**2 + jnp.log(2.0 * jnp.pi)) - jnp.log(jnp.diagonal(factor))
        return jnp.where(used, self._place(density, jnp.shape(used)), 0.0)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`; NaN outside `pixels` and where the standard deviation is not finite."""
        sigma = self.noise.standard_deviation(model, light)
        known = jnp.isfinite(self._pick(sigma))
        noise = self._factor(sigma, known) @ jax.random.normal(key, known.shape, dtype=sigma.dtype)
        return model + self._place(jnp.where(known, noise, jnp.nan), jnp.shape(model))

    def _factor(self, sigma: jax.Array, used: jax.Array) -> jax.Array:
        """Lower Cholesky factor of the covariance of the selected pixels, the identity where not `used`."""
        place = self._pick_positions(jnp.shape(sigma)).astype(sigma.dtype)
        sigma = self._pick(sigma)
        lag = place[:, None, :] - place[None, :, :]
        one = jnp.eye(sigma.size, dtype=sigma.dtype)
        shared = (1.0 - self.independent) * self.correlation(lag[..., 0], lag[..., 1]) + self.independent * one
        covariance = sigma[:, None] * sigma[None, :] * shared + self.jitter**2 * one
        return jnp.linalg.cholesky(jnp.where(used[:, None] & used[None, :], covariance, one))

    def _pick_positions(self, shape: tuple[int, ...]) -> jax.Array:
        """(row, column) of the selected pixels, shape (n, 2)."""
        if self.positions is not None:
            every = jnp.asarray(self.positions)
        elif len(shape) == 2:
            every = jnp.asarray(np.indices(shape).reshape(2, -1).T)
        else:
            raise InputError(
                f"Correlated: expected a 2-D map or `positions` of the data, found data of shape {shape} and no "
                "positions; give the (row, column) of every bin."
            )
        return every if self.pixels is None else every[self.pixels]

    def _pick(self, values: jax.Array) -> jax.Array:
        """The selected pixels in reading order, flat."""
        flat = jnp.ravel(values)
        return flat if self.pixels is None else flat[self.pixels]

    def _place(self, values: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """The inverse of `_pick`, NaN where nothing was picked."""
        if self.pixels is None:
            return values.reshape(shape)
        empty = jnp.full(math.prod(shape), jnp.nan, dtype=values.dtype)
        return empty.at[self.pixels].set(values).reshape(shape)
