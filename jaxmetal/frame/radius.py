"""How far from a galaxy's centre a position is, on its disc."""

from __future__ import annotations

from typing import Any

from jaxmetal.frame.contract import Frame
from jaxmetal.numerics.radius import radius


def deprojected_radius(frame: Frame, x: Any, y: Any) -> Any:
    """The deprojected (semi-major-axis) radius, arcsec, of positions (x, y) in the frame's plane, arcsec."""
    return radius(*frame.to_plane(x, y))
