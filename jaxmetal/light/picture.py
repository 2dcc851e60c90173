"""Light taken from a picture."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.interpolate import bilinear
from jaxmetal.numerics.tree import node, static


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

    values: jax.Array | np.ndarray
    grid: Grid
    plane: Literal["source", "image"] = static()
    psf: Any = None
    dx: jax.Array | float = 0.0
    dy: jax.Array | float = 0.0

    def __call__(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the sky at (x, y) in arcsec."""
        column, row = self.grid.to_pixel(x - self.dx, y - self.dy)
        return bilinear(jnp.pad(self.values, 1), column + 1.0, row + 1.0)

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
