"""A radial gradient that changes its slope."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, within


@node
class BrokenGradient:
    """P = central + inner min(R, r_break) + outer max(R - r_break, 0); continuous.

    Attributes:
        central: value at the centre.
        inner: slope within r_break, per arcsec.
        outer: slope beyond it, per arcsec.
        r_break: radius of the break, arcsec.
    """

    central: jax.Array | float
    inner: jax.Array | float
    outer: jax.Array | float
    r_break: jax.Array | float = within("[0, inf)")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        r = radius(u, v)
        within = jnp.minimum(r, self.r_break)
        return self.central + self.inner * within + self.outer * (r - within)

    def smallest_scale(self) -> float:
        """None: a kink has no width."""
        return 0.0
