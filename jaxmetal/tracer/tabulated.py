"""A property given as a table on the disc."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.interpolate import bilinear
from jaxmetal.numerics.tree import node, parameter


@node
class Tabulated:
    """Bilinear interpolation of a table; beyond its border the nearest border value.

    Attributes:
        values: the property at the pixel centres, shape (ny, nx), finite.
        grid: where the pixels lie on the disc, its x being u and its y being v (arcsec); on a frame `OnSky` the sky.
    """

    kinked: ClassVar[bool] = True

    values: jax.Array | np.ndarray = parameter("property", role="value")
    grid: Grid

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        ny, nx = self.grid.shape
        column, row = self.grid.to_pixel(u, v)
        return bilinear(jnp.asarray(self.values), jnp.clip(column, 0.0, nx - 1.0), jnp.clip(row, 0.0, ny - 1.0))

    def smallest_scale(self) -> jax.Array | float:
        """The step of the table, arcsec."""
        return self.grid.steps.min()
