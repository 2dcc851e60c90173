"""What a spectrum sums over: a slit or a round aperture, as pixels of which it is one bin."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.numerics.grid import Grid

FEWEST, MOST = 3, 400
"""Pixels along a side."""


class Aperture(NamedTuple):
    """Pixels, and the bin that they are."""

    grid: Grid
    bins: Bins


def slit(*, x: float, y: float, length: float, width: float, pa: float, pixel: float) -> Aperture:
    """A rectangle on the sky, cut into pixels of about `pixel`, which fill it.

    Args:
        x: its middle, arcsec to the West.
        y: its middle, arcsec to the North.
        length: along `pa`, arcsec.
        width: across it, arcsec.
        pa: of its length, degrees East of North.
        pixel: arcsec.

    Raises:
        InputError: if a side is not positive, or is more than 400 pixels long.
    """
    ny, nx = (_count("slit", name, side, pixel) for name, side in (("length", length), ("width", width)))
    angle = math.radians(pa)
    # Rows run along the length, which points from South to North at pa = 0 and turns towards the East, x < 0.
    along = np.array([-math.sin(angle), math.cos(angle)]) * length / ny
    across = np.array([math.cos(angle), math.sin(angle)]) * width / nx
    matrix = np.stack([across, along], axis=1)
    origin = np.array([x, y]) - matrix @ np.array([0.5 * (nx - 1), 0.5 * (ny - 1)])
    return Aperture(Grid(shape=(ny, nx), origin=origin, matrix=matrix), Bins(labels=np.zeros((ny, nx), int), n=1))


def circle(*, x: float, y: float, radius: float, pixel: float) -> Aperture:
    """A disc on the sky: the pixels of about `pixel` whose middle is inside, together of its area.

    N of them are r sqrt(pi / N) wide: a bin knows no fractions of pixels, and whole ones of the width 2 r / n have an
    area off by 27 % with 3 across and by 4 % with 10.

    Args:
        x: its middle, arcsec to the West.
        y: its middle, arcsec to the North.
        radius: arcsec.
        pixel: arcsec.

    Raises:
        InputError: as `slit`.
    """
    n = _count("aperture", "diameter", 2.0 * radius, pixel)
    middle = np.arange(n) - 0.5 * (n - 1)
    inside = np.hypot(middle[:, None], middle) < 0.5 * n
    grid = Grid.regular((n, n), radius * math.sqrt(math.pi / inside.sum()), (x, y))
    return Aperture(grid, Bins(labels=np.where(inside, 0, -1), n=1))


def _count(what: str, name: str, side: float, pixel: float) -> int:
    if not (side > 0.0 and pixel > 0.0 and math.isfinite(side) and side / pixel <= MOST):
        raise InputError(
            f"{what}: expected a {name} above 0 and at most {MOST} pixels long, found {side:g} arcsec with pixels of "
            f"{pixel:g} arcsec; correct it, or pixel_scale."
        )
    return max(FEWEST, math.ceil(side / pixel))
