"""Pixel grids: affine maps from pixel indices to the plane of the sky, distorted where an image needs it."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from jaxmetal.numerics.bands import Places
from jaxmetal.numerics.distortion import SkyDistortion
from jaxmetal.numerics.quantities import plain
from jaxmetal.numerics.tree import node, parameter, static


@node
class Grid:
    """A rectangular pixel grid, possibly rotated, flipped or skewed on the sky.

    The centre of pixel (row j, column i), both counted from 0, lies at

        (x, y) = origin + matrix @ (i, j) + distortion(i, j)        [arcsec, x to the West, y to the North]

    Its methods are plain arithmetic: NumPy in, NumPy out, and nothing is compiled where nothing is traced.

    Attributes:
        shape: (ny, nx).
        origin: sky position of the centre of pixel (0, 0), shape (2,), arcsec.
        matrix: d(x, y) / d(column, row), shape (2, 2), arcsec per pixel.
        distortion: what an affine map leaves of the positions; None: nothing.
    """

    shape: tuple[int, int] = static()
    origin: Any = parameter("arcsec")
    matrix: Any = parameter("arcsec/pixel")
    distortion: SkyDistortion | None = None

    @classmethod
    def regular(cls, shape: tuple[int, int], pixel_scale: float, centre: tuple[float, float] = (0.0, 0.0)) -> Grid:
        """Square, unrotated pixels of `pixel_scale` around `centre`, the middle of the frame; arcsec, or quantities."""
        ny, nx = shape
        pixel_scale = plain("pixel_scale", pixel_scale, "arcsec", "arcsec/pixel")
        centre = plain("centre", centre, "arcsec")
        origin = np.array(centre) - 0.5 * pixel_scale * np.array([nx - 1, ny - 1])
        return cls(shape=(int(ny), int(nx)), origin=origin, matrix=pixel_scale * np.eye(2))

    @property
    def steps(self) -> jax.Array:
        """Pixel sizes (along columns i.e. x, along rows i.e. y), arcsec, shape (2,)."""
        return (self.matrix**2).sum(axis=0) ** 0.5

    @property
    def pixel_area(self) -> jax.Array:
        """Area of a pixel, arcsec^2: |det| of the matrix, also where its sides are not perpendicular."""
        return abs(self._determinant)

    @property
    def _determinant(self) -> jax.Array:
        m = self.matrix
        return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]

    def to_sky(self, column: Any, row: Any) -> tuple[jax.Array, jax.Array]:
        """Sky position (x, y) in arcsec of fractional pixel indices."""
        m, o = self.matrix, self.origin
        x, y = o[0] + m[0, 0] * column + m[0, 1] * row, o[1] + m[1, 0] * column + m[1, 1] * row
        if self.distortion is None:
            return x, y
        dx, dy = self.distortion(column, row)
        return x + dx, y + dy

    def to_pixel(self, x: Any, y: Any) -> tuple[jax.Array, jax.Array]:
        """Fractional pixel indices (column, row) of a sky position in arcsec."""
        affine = self._affine_to_pixel
        return affine(x, y) if self.distortion is None else self.distortion.undone(affine, x, y)

    def _affine_to_pixel(self, x: Any, y: Any) -> tuple[jax.Array, jax.Array]:
        m, o, det = self.matrix, self.origin, self._determinant
        dx, dy = x - o[0], y - o[1]
        return (m[1, 1] * dx - m[0, 1] * dy) / det, (m[0, 0] * dy - m[1, 0] * dx) / det

    def finer(self, shape: tuple[int, int], fine: int, margin: tuple[int, int]) -> Grid:
        """The grid of pixels `fine` times smaller along each side, from `margin` (rows, columns) before the first one.

        Index k of it is k / fine - margin of this one.
        """
        before = np.array([margin[1], margin[0]])
        distortion = self.distortion
        return Grid(
            shape=shape,
            origin=np.asarray(self.origin) - np.asarray(self.matrix) @ before,
            matrix=np.asarray(self.matrix) / fine,
            distortion=None if distortion is None else distortion.rescaled(fine, before),
        )

    def centres(self) -> tuple[jax.Array, jax.Array]:
        """Sky positions (x, y) of all pixel centres, each of shape (ny, nx), arcsec."""
        return subpixels(self, density=1, margin=0)


def subpixels(grid: Grid, *, density: float, margin: int) -> tuple[jax.Array, jax.Array]:
    """Sky positions of the samples, `density` per pixel and axis, on the grid widened by `margin` pixels on every side.

    Returns:
        x and y, each of shape (ceil((ny + 2 margin) density), ceil((nx + 2 margin) density)), arcsec.
    """
    rows, columns = (subpixel_indices(n, density=density, margin=margin) for n in grid.shape)
    return grid.to_sky(columns[None, :], rows[:, None])


def subpixel_indices(n: int, *, density: float, margin: int) -> np.ndarray:
    """Fractional pixel indices of the samples along an axis of n pixels: middles of equal parts of the widened axis.

    Args:
        n: pixels along the axis.
        density: samples per pixel, or a little more where their number would not be whole.
        margin: pixels by which the axis is widened on both sides.
    """
    return subpixel_line(n, density=density, margin=margin).points


def subpixel_line(n: int, *, density: float, margin: int) -> Places:
    """The samples of `subpixel_indices` as a line."""
    count, step = _parts(n + 2 * margin, density)
    return Places(count, 0.5 * step - 0.5 - margin, step)


def in_pixels(index: Any, n: int, *, density: float, margin: int) -> Any:
    """Fractional pixel index of a fractional index into the samples of `subpixel_indices`."""
    line = subpixel_line(n, density=density, margin=margin)
    return line.start + index * line.step


def cell_area(grid: Grid, *, density: float, margin: int) -> jax.Array:
    """Area that each sample of `subpixels` stands for, arcsec^2."""
    return grid.pixel_area * math.prod(_parts(n + 2 * margin, density)[1] for n in grid.shape)


def _parts(width: int, density: float) -> tuple[int, float]:
    """How many samples a widened axis has, and the pixels that each stands for."""
    count = math.ceil(width * density)
    return count, width / count
