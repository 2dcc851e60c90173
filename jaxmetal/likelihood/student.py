"""Errors with outliers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import about_model, averaged
from jaxmetal.numerics.tree import node, parameter


@node
class StudentT:
    """Independent Student-t errors of `nu` degrees of freedom and width^2 = (scale sigma)^2 + jitter^2.

    nu = 1 is a Cauchy distribution, nu = 4 a usual guard against outliers, and a large nu a Gaussian. In float32 keep
    nu below 1000: the difference of two large log-gamma functions loses digits.

    Attributes:
        sigma: width of the core, a map or a number, > 0, in the units of the data.
        nu: degrees of freedom, > 0.
        jitter: width added in quadrature, in the units of the data.
        scale: factor by which all `sigma` are wrong, > 0.
    """

    sigma: Any = parameter("data", within="(0, inf)", role="error")
    nu: Any = parameter("", within="(0, inf)", role="degrees of freedom")
    jitter: Any = parameter("data", within="[0, inf)", role="jitter", default=0.0)
    scale: Any = parameter("", within="(0, inf)", role="factor", default=1.0)

    mean = about_model
    expected = averaged

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Width of the core, of the shape of `model`; the variance itself does not exist for nu <= 2."""
        width = jnp.sqrt((self.scale * self.sigma) ** 2 + self.jitter**2)
        return jnp.broadcast_to(width, jnp.shape(model))

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum; 0 where not `used`."""
        data, model, light, noise = usable(used, (data, model, light, self))
        density = dist.StudentT(noise.nu, model, noise.standard_deviation(model, light)).log_prob(data)
        return jnp.where(used, density, 0.0)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""
        return dist.StudentT(self.nu, model, self.standard_deviation(model, light)).sample(key)
