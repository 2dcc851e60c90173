"""No disc at all."""

from __future__ import annotations

from typing import ClassVar

import jax

from jaxmetal.numerics.tree import node


@node
class OnSky:
    """The sky itself: u = x, v = y, nothing deprojected."""

    axis_ratio: ClassVar[float] = 1.0
    x0: ClassVar[float] = 0.0
    y0: ClassVar[float] = 0.0

    def to_plane(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Sky position (arcsec), unchanged."""
        return x, y
