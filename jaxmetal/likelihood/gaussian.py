"""Independent Gaussian errors."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import about_model, averaged
from jaxmetal.numerics.tree import node, parameter


@node
class Gaussian:
    """Independent Gaussian errors of variance (scale sigma)^2 + jitter^2.

    Attributes:
        sigma: standard deviation of the data, a map or a number, > 0, in the units of the data.
        jitter: scatter added in quadrature (intrinsic scatter, errors nobody modelled), in the units of the data.
        scale: factor by which all `sigma` are wrong, > 0.
    """

    normal: ClassVar[bool] = True

    sigma: Any = parameter("data", within="(0, inf)", role="error")
    jitter: Any = parameter("data", within="[0, inf)", role="jitter", default=0.0)
    scale: Any = parameter("", within="(0, inf)", role="factor", default=1.0)

    mean = about_model
    expected = averaged

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Total standard deviation, of the shape of `model`."""
        variance = (self.scale * self.sigma) ** 2 + self.jitter**2
        return jnp.broadcast_to(jnp.sqrt(variance), jnp.shape(model))

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum; 0 where not `used`."""
        data, model, light, noise = usable(used, (data, model, light, self))
        density = dist.Normal(model, noise.standard_deviation(model, light)).log_prob(data)
        return jnp.where(used, density, 0.0)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""
        return dist.Normal(model, self.standard_deviation(model, light)).sample(key)
