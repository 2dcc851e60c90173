"""A disc described by two ellipticity components, for sampling near face-on."""

from __future__ import annotations

import jax

from jaxmetal.frame.convert import from_ellipticity
from jaxmetal.frame.disc import along_axes
from jaxmetal.numerics.radius import radius
from jaxmetal.numerics.tree import node, parameter


@node
class EllipticityDisc:
    """A disc whose shape is a vector, so that a face-on disc has no undefined angle.

        e1 = (1 - q)/(1 + q) cos(2 pa)      e2 = (1 - q)/(1 + q) sin(2 pa)

    with `pa` East of North as everywhere in jaxmetal (lenstronomy's components count from +x: see `convert`). With N
    and E the offsets to the North and East from the centre,

        (u, v) = [[1 - e1, -e2], [-e2, 1 + e1]] (N, E) / (1 - |e|)

    so that hypot(u, v) is the deprojected radius of `Disc`, the major axis being kept. This stretch does not turn the
    disc: its azimuth counts from North through East, since the major axis of a circle points nowhere. A profile that
    needs the major axis (rotation) wants a `Disc`.

    Attributes:
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        e1: elongation along North (> 0) or East (< 0); e1^2 + e2^2 < 1.
        e2: elongation along North-East (> 0) or North-West (< 0).
    """

    x0: jax.Array | float = parameter("arcsec", role="centre x", default=0.0)
    y0: jax.Array | float = parameter("arcsec", role="centre y", default=0.0)
    e1: jax.Array | float = parameter("", within="(-1, 1)", role="ellipticity", default=0.0)
    e2: jax.Array | float = parameter("", within="(-1, 1)", role="ellipticity", default=0.0)

    @property
    def axis_ratio(self) -> jax.Array:
        """Projected b/a."""
        return from_ellipticity(self.e1, self.e2)[0]

    @property
    def pa(self) -> jax.Array:
        """Position angle of the major axis in degrees, between -90 and 90; 0 when face-on."""
        return from_ellipticity(self.e1, self.e2)[1]

    def to_plane(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Sky position (arcsec) to (u, v) on the disc (arcsec)."""
        north, east = along_axes(x - self.x0, y - self.y0, pa=0.0)
        scale = 1.0 / (1.0 - radius(self.e1, self.e2))
        u = ((1.0 - self.e1) * north - self.e2 * east) * scale
        v = ((1.0 + self.e1) * east - self.e2 * north) * scale
        return u, v
