"""A point mass."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens.axes import CORE
from jaxmetal.numerics.tree import node, parameter


@node
class PointMass:
    """alpha = theta_e^2 theta / |theta|^2, theta the offset from the centre; no convergence but at the centre.

    Attributes:
        theta_e: Einstein radius, arcsec.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
    """

    theta_e: float | jax.Array = parameter("arcsec", within="[0, inf)", role="Einstein radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        dx, dy = x - self.x0, y - self.y0
        pull = jnp.square(self.theta_e) / (dx**2 + dy**2 + CORE**2)
        return pull * dx, pull * dy

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2: theta_e^2 ln |theta|."""
        squared = (x - self.x0) ** 2 + (y - self.y0) ** 2 + CORE**2
        return 0.5 * jnp.square(self.theta_e) * jnp.log(squared)
