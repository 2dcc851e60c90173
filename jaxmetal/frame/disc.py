"""A thin disc described by its axis ratio and position angle."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


def half_or_whole(_: Any, turns: int) -> float:
    """Period of a major axis, degrees: half a turn, unless what lies on the disc tells the ends of the axis apart."""
    return 360.0 if turns % 2 else 180.0


@node
class Disc:
    """A disc of projected axis ratio q whose major axis points to `pa`.

    With the unit vectors of the axes, a = (-sin pa, cos pa) and b = (-cos pa, -sin pa) = a turned by +90 degrees,

        u = (x - x0, y - y0) . a        v = (x - x0, y - y0) . b / q

    Attributes:
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        q: axis ratio b/a, 0 < q <= 1.
        pa: position angle of the major axis, degrees East of North; any real number.
    """

    x0: jax.Array | float = parameter("arcsec", role="centre x", default=0.0)
    y0: jax.Array | float = parameter("arcsec", role="centre y", default=0.0)
    q: jax.Array | float = parameter("", within="(0, 1]", role="axis ratio", default=1.0)
    pa: jax.Array | float = parameter("deg", role="position angle", period=half_or_whole, default=0.0)

    @property
    def axis_ratio(self) -> jax.Array | float:
        """Projected b/a."""
        return self.q

    def to_plane(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Sky position (arcsec) to (u, v) on the disc (arcsec)."""
        along, across = along_axes(x - self.x0, y - self.y0, self.pa)
        return along, across / self.q


def along_axes(dx: jax.Array, dy: jax.Array, pa: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """Components of a sky offset along the axis at position angle `pa` (degrees) and along pa + 90."""
    cosine, sine = jnp.cos(jnp.deg2rad(pa)), jnp.sin(jnp.deg2rad(pa))
    return cosine * dy - sine * dx, -cosine * dx - sine * dy
