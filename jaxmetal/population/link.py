"""Positive parameters in a space where a sampler's steps stay small next to what they change: softplus, not exp."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.distributions.transforms import AffineTransform, ComposeTransform, SoftplusTransform, Transform


class Above0(constraints.Constraint):
    """Positive numbers y = scale ln(1 + e^u), with u what is sampled.

    Under NumPyro's own y = e^u a scatter that may be 0 has a long tail towards it and, as its density falls like
    exp(-y^2), a doubly exponential wall on the other side, into which chains that come from the tail jump, and diverge.

    Attributes:
        scale: below it u is a logarithm, above it proportional to y.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, x: jax.Array) -> jax.Array:
        """Whether numbers are allowed."""
        return x > 0.0

    def feasible_like(self, prototype: jax.Array) -> jax.Array:
        """A number that is allowed."""
        return jnp.full_like(prototype, self.scale)

    def tree_flatten(self) -> tuple[tuple[float], tuple[tuple[str], dict[str, Any]]]:
        """As NumPyro registers constraints with JAX."""
        return (self.scale,), (("scale",), {})


@dist.biject_to.register(Above0)
def _transform(constraint: Above0) -> Transform:
    stretch = AffineTransform(0.0, constraint.scale, domain=constraints.positive)
    return ComposeTransform([SoftplusTransform(), stretch])


def positive(name: str, prior: dist.Distribution) -> jax.Array:
    """Inside a NumPyro model: a parameter, through `Above0` if its prior allows all positive numbers and has a mean."""
    with jax.ensure_compile_time_eval():
        scale = float(prior.mean) if prior.support is constraints.positive else np.inf
    if not np.isfinite(scale):
        return numpyro.sample(name, prior)
    value = numpyro.sample(name, dist.ImproperUniform(Above0(scale), (), ()))
    numpyro.factor(f"{name}.prior", prior.log_prob(value))
    return value
