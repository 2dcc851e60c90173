"""What every frame is."""

from __future__ import annotations

from typing import Any, Protocol

import jax


class Frame(Protocol):
    """A node (`numerics.tree.node`) that lays a disc on the sky; no base class is needed.

    Attributes:
        x0: centre, arcsec West.
        y0: centre, arcsec North.
        axis_ratio: projected b/a.
    """

    @property
    def x0(self) -> Any:
        """Centre, arcsec West."""

    @property
    def y0(self) -> Any:
        """Centre, arcsec North."""

    @property
    def axis_ratio(self) -> Any:
        """Projected b/a; a brightness on the disc, seen on the sky, is divided by it."""

    def to_plane(self, x: Any, y: Any) -> tuple[jax.Array, jax.Array]:
        """Positions on the disc, arcsec, u along its major axis, of positions on the sky."""
