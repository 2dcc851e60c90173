"""Light taken from a picture."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.interpolate import bilinear, spline
from jaxmetal.numerics.lowpass import REACH, refined, smooth_spline
from jaxmetal.numerics.tree import node, parameter, static

NODES = 2.0
"""Nodes per sample at least."""


@node
class Surface:
    """A smooth picture, as one is sampled: a cubic spline.

    Attributes:
        coefficients: of its B-splines, shape (ny, nx), flux per arcsec^2 of the sky.
        grid: where they lie.
        plane, dx, dy: as of `Picture`.
    """

    on_sky: ClassVar[bool] = True

    coefficients: jax.Array | np.ndarray = parameter("flux/arcsec^2")
    grid: Grid
    plane: Literal["source", "image"] = static()
    dx: jax.Array | float = parameter("arcsec", role="shift x", default=0.0)
    dy: jax.Array | float = parameter("arcsec", role="shift y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the sky at (x, y) in arcsec."""
        return spline(jnp.asarray(self.coefficients), *self.grid.to_pixel(x - self.dx, y - self.dy))


@node
class Picture:
    """Tabulated surface brightness, interpolated bilinearly between pixel centres.

    Beyond the outermost centres it falls linearly to zero within one pixel, which keeps the light continuous and its
    total equal to the sum of the pixels times their area. Negative pixels stay negative (see `clip_negative`).

    Attributes:
        values: shape (ny, nx), flux per arcsec^2 of the sky.
        grid: where the pixels lie.
        plane: "source": the picture shows the source without the lens, and is evaluated where the ray arrives;
            "image": it was taken through the lens, and is evaluated where it is seen.
        psf: the blur that the picture already has, without free parameters; None: none. It is undone once, before
            anything is predicted.
        dx: registration: the picture's features lie this far West of where its grid says, arcsec.
        dy: the same to the North, arcsec.
    """

    on_sky: ClassVar[bool] = True
    """It is called with sky coordinates, whatever the frame of its source."""

    values: jax.Array | np.ndarray = parameter("flux/arcsec^2")
    grid: Grid
    plane: Literal["source", "image"] = static()
    psf: Any = None
    dx: jax.Array | float = parameter("arcsec", role="shift x", default=0.0)
    dy: jax.Array | float = parameter("arcsec", role="shift y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the sky at (x, y) in arcsec."""
        column, row = self.grid.to_pixel(x - self.dx, y - self.dy)
        return bilinear(jnp.pad(self.values, 1), column + 1.0, row + 1.0)

    def averaged(self, step: float) -> Surface:
        """The picture without what samples at a distance of `step` arcsec cannot tell; values and grid are numbers."""
        fine = max(1, math.ceil(NODES * float(np.asarray(self.grid.steps).max()) / step))
        steps = [fine * step / float(side) for side in np.asarray(self.grid.steps)[::-1]]
        margin = [1 + math.ceil(REACH * distance / fine) for distance in steps]
        values = refined(np.pad(np.asarray(self.values), [(n, n) for n in margin]), fine)
        grid = self.grid.finer(values.shape, fine, (margin[0], margin[1]))
        smooth = smooth_spline(values, (steps[0], steps[1]))
        return Surface(coefficients=smooth, grid=grid, plane=self.plane, dx=self.dx, dy=self.dy)

    def smallest_scale(self) -> jax.Array:
        """The shorter side of a pixel, arcsec."""
        return self.grid.steps.min()

    def overhang(self, grid: Grid) -> float:
        """By how many pixels it reaches beyond a frame; through a lens that is not known."""
        if self.plane != "image":
            return np.inf
        ny, nx = self.grid.shape
        x, y = self.grid.to_sky(np.array([-1.0, nx, -1.0, nx]), np.array([-1.0, -1.0, ny, ny]))
        column, row = grid.to_pixel(x + self.dx, y + self.dy)
        beyond = [-column, column - (grid.shape[1] - 1), -row, row - (grid.shape[0] - 1)]
        return max(1.0, float(max(np.max(b) for b in beyond)))


def clip_negative(picture: Picture) -> tuple[Picture, float]:
    """The picture with its negative pixels set to zero, and the flux so changed as a fraction of the sum of |values|.

    A weight below zero would let a light-weighted mean leave the range of what it averages. Clipping noise that is
    centred on zero adds light, so that a large fraction asks for a mask or a smoothed picture instead.
    """
    kept = np.maximum(picture.values, 0.0)
    total = np.sum(np.abs(picture.values))
    clipped = np.sum(kept - picture.values) / total if total > 0.0 else 0.0
    return dataclasses.replace(picture, values=kept), float(clipped)
