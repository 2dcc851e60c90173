"""How large bins of an image are on the source's plane."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.traced import between, traced_corners

FINE = 4
"""Parts along each side of a pixel."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class BinSizes:
    """A table, one entry per bin; NaN of one that the lens does not know.

    Attributes:
        area: on the source's plane, arcsec^2, the traced pixels added up.
        diameter: of the circle of that area, arcsec (Patricio et al. 2019, MNRAS 489, 224, Fig. 2).
        major: axis of the uniform ellipse with the bin's second moments there, arcsec.
        minor: the other axis.
        magnification: area on the sky over that at the source.
        x: middle on the source's plane, arcsec to the West.
        y: the same to the North.
    """

    area: np.ndarray
    diameter: np.ndarray
    major: np.ndarray
    minor: np.ndarray
    magnification: np.ndarray
    x: np.ndarray
    y: np.ndarray


def bin_sizes(lens: Lens | None, grid: Grid, bins: Bins) -> BinSizes:
    """Sizes of bins, as of a Voronoi tessellation, on the source's plane.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which the source lies; None for none.
        grid: pixels of the image.
        bins: of these pixels.

    Raises:
        InputError: if the bins are of other pixels.
    """
    labels = np.asarray(bins.labels)
    if labels.shape != tuple(grid.shape):
        raise InputError(
            f"bins: expected labels of shape {tuple(grid.shape)}, found {labels.shape}; cut them as the image."
        )
    corners = traced_corners(lens, grid, FINE)
    parts, within = between(grid, FINE, *corners), _within(*corners)
    number, area = parts.on_parts(labels), np.abs(parts.area)
    inside = number >= 0

    def total(values: Any) -> np.ndarray:
        return np.bincount(number[inside], weights=values[inside], minlength=bins.n)

    whole = total(area)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = total(area * parts.x) / whole, total(area * parts.y) / whole
        dx, dy = parts.x - x[np.maximum(number, 0)], parts.y - y[np.maximum(number, 0)]
        moments = zip((dx**2, dx * dy, dy**2), within, strict=True)
        xx, xy, yy = (total(area * (about + own)) / whole for about, own in moments)
        magnification = total(np.ones(area.shape)) * float(grid.pixel_area) / FINE**2 / whole
    middle, half = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    axes = (4.0 * np.sqrt(np.maximum(one, 0.0)) for one in (middle + half, middle - half))
    major, minor = axes
    return BinSizes(
        area=whole,
        diameter=2.0 * np.sqrt(whole / np.pi),
        major=major,
        minor=minor,
        magnification=magnification,
        x=x,
        y=y,
    )


def _within(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second moments (xx, xy, yy) of each part about its own middle, as of a parallelogram: (a a^T + b b^T) / 12."""
    sides = [[np.diff(one, axis=axis) for axis in (1, 0)] for one in (x, y)]
    (ax, bx), (ay, by) = ((0.5 * (a[:-1] + a[1:]), 0.5 * (b[:, :-1] + b[:, 1:])) for a, b in sides)
    return (ax**2 + bx**2) / 12.0, (ax * ay + bx * by) / 12.0, (ay**2 + by**2) / 12.0
