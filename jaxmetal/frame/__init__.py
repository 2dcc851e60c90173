"""Frames: where a galaxy's disc lies on the sky, and how a position on the sky becomes one on the disc.

A frame (`contract.Frame`) is a node with `to_plane(x, y) -> (u, v)` (arcsec on the sky in, arcsec on the disc out,
hypot(u, v) the deprojected radius), `axis_ratio` (projected b/a: a brightness on the disc, seen on the sky, is divided
by it) and the centre `x0`, `y0`; one that knows how thick its disc is states its `inclination` (degrees) too. Profiles
of light and of what it carries are functions of (u, v) and know nothing of the sky.

Imports: numerics. To add a frame: a file with one node that has these four, its name in `__all__`, and a line in
`tests/test_frames.py`. An angle of its axes has the period `half_or_whole`.
"""

from jaxmetal.frame.convert import (
    ellipticity_from_lenstronomy,
    ellipticity_to_lenstronomy,
    from_ellipticity,
    to_ellipticity,
)
from jaxmetal.frame.disc import Disc
from jaxmetal.frame.ellipticity import EllipticityDisc
from jaxmetal.frame.inclined import InclinedDisc
from jaxmetal.frame.isotropic import Isotropic
from jaxmetal.frame.radius import deprojected_radius
from jaxmetal.frame.sky import OnSky

__all__ = [
    "Disc",
    "EllipticityDisc",
    "InclinedDisc",
    "Isotropic",
    "OnSky",
    "deprojected_radius",
    "ellipticity_from_lenstronomy",
    "ellipticity_to_lenstronomy",
    "from_ellipticity",
    "to_ellipticity",
]
