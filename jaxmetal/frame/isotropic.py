"""Inclinations of discs that are turned at random."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.distributions.transforms import Transform

EDGE_ON = 90.0


class Tilt(Transform):
    """i = 2 arcsin sqrt(p / 2) in degrees, whose share p = 1 - cos i of random orientations is less inclined."""

    domain = constraints.unit_interval
    codomain = constraints.interval(0.0, EDGE_ON)
    sign = 1

    def __call__(self, x: Any) -> jax.Array:
        """The inclination."""
        half = 0.5 * jnp.asarray(x)
        # Of zero the root would have no slope.
        root = jnp.sqrt(jnp.maximum(half, 2.0 * jnp.finfo(half.dtype).tiny))
        return jnp.minimum(jnp.rad2deg(2.0 * jnp.arcsin(root)), EDGE_ON)

    def _inverse(self, y: Any) -> jax.Array:
        return 2.0 * jnp.square(jnp.sin(0.5 * jnp.deg2rad(y)))

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> jax.Array:
        """Of the inclination over its share."""
        return -jnp.log(jnp.deg2rad(jnp.sin(jnp.deg2rad(y))))

    def tree_flatten(self) -> tuple[tuple[()], tuple[tuple[()], dict[str, Any]]]:
        """It holds nothing."""
        return (), ((), {})


class Isotropic(dist.TransformedDistribution):
    """Inclinations (degrees) of discs whose axes point anywhere alike: p(i) = sin i from 0 to 90 degrees.

    Of a thin disc, where q = cos i, it is the uniform distribution of the axis ratio between 0 and 1.
    """

    def __init__(self, *, validate_args: bool | None = None) -> None:
        super().__init__(dist.Uniform(0.0, 1.0), Tilt(), validate_args=validate_args)

    @property
    def mean(self) -> jax.Array:
        """One radian."""
        return jnp.rad2deg(1.0)

    @property
    def variance(self) -> jax.Array:
        """Pi - 3 square radians."""
        return jnp.square(jnp.rad2deg(1.0)) * (jnp.pi - 3.0)
