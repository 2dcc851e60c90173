"""A radial gradient that changes its slope."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class BrokenGradient:
    """P = central + inner min(R, r_break) + outer max(R - r_break, 0); continuous.

    Attributes:
        central: value at the centre.
        inner: slope within r_break, per arcsec.
        outer: slope beyond it, per arcsec.
        r_break: radius of the break, arcsec.
    """

    turns: ClassVar[int] = 0
    kinked: ClassVar[bool] = True

    central: jax.Array | float = parameter("property", role="central")
    inner: jax.Array | float = parameter("property/arcsec", role="inner slope")
    outer: jax.Array | float = parameter("property/arcsec", role="outer slope")
    r_break: jax.Array | float = parameter("arcsec", within="[0, inf)", role="break radius")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        r = radius(u, v)
        within = jnp.minimum(r, self.r_break)
        return self.central + self.inner * within + self.outer * (r - within)

    def smallest_scale(self) -> float:
        """Infinite: two cones, and the kink where they meet."""
        return float("inf")
