"""Errors that grow where there is little light."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import about_model, averaged
from jaxmetal.numerics.tree import node, parameter


@node
class LightScaled:
    """Independent Gaussian errors of variance c1 + c2 / I + jitter^2 (Metha et al. 2024, appendix A).

    I is the blurred light of the model, or `light` where that map is given. A pixel whose light is zero or negative
    is given so large an error that it carries no weight; value and gradient stay finite.

    Attributes:
        c1: variance that bright pixels keep, >= 0, (units of the data)^2.
        c2: variance times light, >= 0, (units of the data)^2 x (units of the light); not zero together with `c1`.
        light: map of I, used instead of the light of the model.
        jitter: scatter added in quadrature, in the units of the data.
    """

    normal: ClassVar[bool] = True

    c1: Any = parameter("data^2", within="[0, inf)", role="variance")
    c2: Any = parameter("data^2 flux/pixel", within="[0, inf)", role="variance times light")
    light: Any = parameter("flux/pixel", default=None)
    jitter: Any = parameter("data", within="[0, inf)", role="jitter", default=0.0)

    mean = about_model
    expected = averaged

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Total standard deviation, of the shape of `model`."""
        bright = 1.0 * jnp.asarray(light if self.light is None else self.light)
        # The smallest light whose power -3/2, met in the gradient, does not overflow.
        bright = jnp.maximum(bright, jnp.finfo(bright.dtype).tiny ** 0.6)
        sigma = jnp.sqrt((self.c1 + self.jitter**2) * bright + self.c2) * jax.lax.rsqrt(bright)
        return jnp.broadcast_to(sigma, jnp.shape(model))

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum; 0 where not `used`."""
        data, model, light, noise = usable(used, (data, model, light, self))
        density = dist.Normal(model, noise.standard_deviation(model, light)).log_prob(data)
        return jnp.where(used, density, 0.0)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""
        return dist.Normal(model, self.standard_deviation(model, light)).sample(key)
