"""Errors of data some of whose numbers are integrated out of the prediction: of `observation.Positions`, and no others.

Other observations have a light where these have the integral's share, so that it is not offered with the noises.
"""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.likelihood.gaussian import Gaussian
from jaxmetal.likelihood.masking import usable
from jaxmetal.numerics.tree import node


@node
class Integrated(Gaussian):
    """Independent Gaussian errors of variance (scale sigma)^2 + jitter^2 around a model with numbers integrated out.

    Of a model that is linear in numbers b with a flat prior, int db prod_i N(d_i | m_i(b), s_i) is the product at the
    best b times (2 pi)^(n/2) |W|^(-1/2), W being the curvature along b: the logarithm of that is what such an
    observation predicts as `light`, each datum its share.

    Attributes:
        sigma: standard deviation of the data, a map or a number, > 0, in the units of the data.
        jitter: scatter added in quadrature, in the units of the data.
        scale: factor by which all `sigma` are wrong, > 0.
    """

    normal: ClassVar[bool] = False

    def pointwise(self, data: jax.Array, model: jax.Array, light: jax.Array, used: jax.Array) -> jax.Array:
        """Log density of every datum at the best b, and its share of the integral over b; 0 where not `used`."""
        (share,) = usable(used, (light,))
        return jnp.where(used, Gaussian.pointwise(self, data, model, light, used) + share, 0.0)
