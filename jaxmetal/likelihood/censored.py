"""Upper and lower limits among measurements."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr

from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood.contract import PER_DATUM, Law, Noise, is_normal
from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import averaged
from jaxmetal.numerics.tree import node


@node
class Censored:
    """A noise some of whose data are limits.

    Where `limits` is True, or 1, the datum is a limit that the measurement stayed below, where it is -1 one that the
    measurement stayed above, which have the probabilities

        Phi((limit - model) / sigma)        Phi((model - limit) / sigma),

    Phi the normal cumulative distribution and sigma the standard deviation of `noise`, whose data must be normal and
    independent (Gaussian or LightScaled, see `contract.is_normal`). A limit is where the detection was cut (3 sigma,
    say), not a datum with a 1-sigma error.

    Attributes:
        noise: noise of the measurements.
        limits: map of 1 (or True) where the datum is an upper limit, -1 where it is a lower limit, 0 (or False) where
            it is a measurement.
    """

    noise: Noise
    limits: Any = dataclasses.field(metadata={PER_DATUM: True})

    def mean(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Mean of the measurements."""
        return self.noise.mean(model, light)

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Standard deviation of the measurements, of the shape of `model`.

        Raises:
            InputError: if they are not normal.
        """
        if not is_normal(self.noise):
            raise InputError(
                f"Censored: expected a noise that is normal, Gaussian or LightScaled, found "
                f"{type(self.noise).__name__}; write it around one of those, and EffectiveSamples around Censored."
            )
        return self.noise.standard_deviation(model, light)

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every measurement, log probability of every limit; 0 where not `used`."""
        measured = self.noise.pointwise(data, model, light, self.measured(used))
        censored = jnp.logical_and(used, self.limits)
        data, model, light, noise = usable(censored, (data, model, light, self))
        side = jnp.where(jnp.asarray(self.limits) < 0, -1.0, 1.0)
        beyond = log_ndtr(side * (data - model) / noise.standard_deviation(model, light))
        return jnp.where(censored, beyond, measured)

    def expected(self, model: jax.Array, light: jax.Array, used: jax.Array, law: Law) -> jax.Array:
        """Expectation of `pointwise`, limits being cut where a measurement would have been; 0 where not `used`."""
        return averaged(self, model, light, used, law._replace(noise=law.noise.noise))

    def measured(self, used: jax.Array) -> jax.Array:
        """All used data but the limits."""
        return jnp.logical_and(used, jnp.logical_not(self.limits))

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Measurements simulated around `model`; where a limit applies, what would have been measured without it."""
        return self.noise.draw(key, model, light)
