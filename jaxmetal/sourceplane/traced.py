"""Where pixels of an image come from on the source's plane, and how large they are there."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.frame import deprojected_radius
from jaxmetal.frame.contract import Frame
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.result.critical import traced as deflected

MOST_FINE = 16
"""Parts along a side of a pixel, at most."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TracedPixels:
    """Pixels cut into `fine` x `fine` parts, on the source's plane; NaN where the lens does not know.

    Attributes:
        grid: the pixels on the sky.
        fine: parts along each side of a pixel.
        x: middle of each part on the source's plane, arcsec to the West, shape (ny fine, nx fine).
        y: the same to the North.
        area: of each part there, arcsec^2; negative where the image is mirrored.
    """

    grid: Grid
    fine: int
    x: np.ndarray
    y: np.ndarray
    area: np.ndarray

    def of_pixels(self, values: np.ndarray) -> np.ndarray:
        """Sums over the parts of each pixel, shape (ny, nx)."""
        ny, nx = self.grid.shape
        return values.reshape(ny, self.fine, nx, self.fine).sum(axis=(1, 3))

    @property
    def magnification(self) -> np.ndarray:
        """Of each pixel as a whole, shape (ny, nx): its area over that of its parts at the source; either parity.

        Finite on critical curves: it is what the light of a source that is even over the pixel gains.
        """
        size, sign = self.of_pixels(np.abs(self.area)), np.sign(self.of_pixels(self.area))
        return np.where(sign < 0.0, -1.0, 1.0) * np.divide(
            float(self.grid.pixel_area), size, out=np.full(size.shape, np.nan), where=size > 0.0
        )

    def on_parts(self, values: Any) -> np.ndarray:
        """A map (ny, nx) repeated on the parts of each pixel."""
        return np.repeat(np.repeat(np.asarray(values), self.fine, axis=0), self.fine, axis=1)


def source_positions(lens: Lens | None, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """beta = theta - alpha(theta), arcsec, of sky positions of one shape; theta itself without a lens."""
    x, y = np.broadcast_arrays(floats("x", x, "arcsec"), floats("y", y, "arcsec"))
    if lens is None:
        return x, y
    alpha_x, alpha_y = (np.asarray(one, float) for one in deflected(lens, x, y))
    return x - alpha_x, y - alpha_y


def traced_corners(lens: Lens | None, grid: Grid, fine: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the parts of pixels on the source's plane, x and y of shape (ny fine + 1, nx fine + 1), arcsec."""
    rows, columns = (np.arange(n * fine + 1) / fine - 0.5 for n in grid.shape)
    return source_positions(lens, *grid.to_sky(columns[None, :], rows[:, None]))


def trace(lens: Lens | None, grid: Grid, fine: int = 1) -> TracedPixels:
    """Traces the parts of pixels: quadrilaterals between traced corners, which leave no gap between them.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which the source lies; None for none.
        grid: the pixels on the sky.
        fine: parts along each side of a pixel.
    """
    return between(grid, fine, *traced_corners(lens, grid, fine))


def between(grid: Grid, fine: int, x: np.ndarray, y: np.ndarray) -> TracedPixels:
    """The quadrilaterals between traced corners, of `traced_corners`."""
    (ax, bx, cx, dx), (ay, by, cy, dy) = _corners(x), _corners(y)
    area = 0.5 * ((cx - ax) * (dy - by) - (cy - ay) * (dx - bx))
    sign = np.sign(np.linalg.det(np.asarray(grid.matrix, float)))
    middle = [0.25 * np.sum(_corners(axis), axis=0) for axis in (x, y)]
    return TracedPixels(grid=grid, fine=fine, x=middle[0], y=middle[1], area=sign * area)


def parts_for(lens: Lens | None, grid: Grid, size: float, used: np.ndarray) -> int:
    """Parts along a side of a pixel, of which nearly all are below a third of `size` (arcsec) at the source."""
    x, y = traced_corners(lens, grid)
    sides = [np.hypot(np.diff(x, axis=k), np.diff(y, axis=k)) for k in (0, 1)]
    longest = np.maximum(sides[0][:, :-1], sides[1][:-1, :])[used]
    longest = longest[np.isfinite(longest)]
    if not longest.size:
        raise InputError(
            "The lens must know the deflection of some used pixel, but knows that of none; use a larger map."
        )
    return int(np.clip(np.ceil(3.0 * np.percentile(longest, 98.0) / size), 2, MOST_FINE))


def radius_map(frame: Frame, grid: Grid, lens: Lens | None = None) -> np.ndarray:
    """Deprojected source-plane radius of each pixel's centre, arcsec, shape (ny, nx); NaN where the lens is not known.

    Args:
        frame: of the galaxy, on the source's plane, every leaf a number.
        grid: the pixels on the sky.
        lens: None for none.
    """
    return np.asarray(deprojected_radius(frame, *source_positions(lens, *grid.centres())), float)


def _corners(values: np.ndarray) -> list[np.ndarray]:
    """Values at the four corners of every cell, in turn."""
    return [values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1]]
