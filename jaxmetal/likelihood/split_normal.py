"""Asymmetric errors, value (+upper, -lower)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import averaged
from jaxmetal.numerics.tree import node, parameter


@node
class SplitNormal:
    """Two half Gaussians that meet at the model, for data quoted as value (+upper, -lower).

        p(data | model) = 2 / (lower + upper) N(0, 1)((data - model) / s),  s = upper if model > data, else lower

    so that a truth one `upper` above the datum is as likely as one `lower` below it. It integrates to 1 over the
    data. (John 1982, Commun. Stat. Theory Methods 11, 879, the two-piece normal distribution.)

    Attributes:
        lower: error towards smaller values, a map or a number, > 0, in the units of the data.
        upper: error towards larger values, likewise.
        jitter: scatter added in quadrature to both, in the units of the data.
    """

    lower: Any = parameter("data", within="(0, inf)", role="error")
    upper: Any = parameter("data", within="(0, inf)", role="error")
    jitter: Any = parameter("data", within="[0, inf)", role="jitter", default=0.0)

    expected = averaged

    def widths(self) -> tuple[jax.Array, jax.Array]:
        """Lower and upper error with the jitter added."""
        return jnp.sqrt(self.lower**2 + self.jitter**2), jnp.sqrt(self.upper**2 + self.jitter**2)

    def mean(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Mean of the data, model - (2/pi)^(1/2) (upper - lower); the model is their mode (John 1982)."""
        lower, upper = self.widths()
        return model - jnp.sqrt(2.0 / jnp.pi) * (upper - lower)

    def standard_deviation(self, model: jax.Array, light: jax.Array) -> jax.Array:
        """Square root of the variance, (1 - 2/pi) (upper - lower)^2 + upper lower, of the shape of `model`."""
        lower, upper = self.widths()
        variance = (1.0 - 2.0 / jnp.pi) * (upper - lower) ** 2 + upper * lower
        return jnp.broadcast_to(jnp.sqrt(variance), jnp.shape(model))

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum; 0 where not `used`."""
        data, model, light, noise = usable(used, (data, model, light, self))
        lower, upper = noise.widths()
        width = jnp.where(model > data, upper, lower)
        # A half Gaussian of this width, carrying the share width / (lower + upper) of the probability on both sides.
        density = dist.Normal(model, width).log_prob(data) + jnp.log(2.0 * width / (lower + upper))
        return jnp.where(used, density, 0.0)

    def draw(self, key: jax.Array, model: jax.Array, light: jax.Array) -> jax.Array:
        """Data simulated around `model`."""
        side, size = jax.random.split(key)
        lower, upper = self.widths()
        below = dist.Bernoulli(jnp.broadcast_to(upper / (lower + upper), jnp.shape(model))).sample(side)
        distance = dist.HalfNormal(jnp.ones_like(model)).sample(size)
        return model + jnp.where(below == 1, -upper, lower) * distance
