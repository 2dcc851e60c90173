"""Source-plane shifts of some of the images of a lensed source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter


@node
class RegionShift:
    """A constant source-plane shift per labelled region of the sky: a nuisance of imperfect lens models.

    A position in the region with label k is traced to beta + (dx[k], dy[k]). It is used as one more lens, whose
    deflection (-dx[k], -dy[k]) adds to the others. All images shifted together are the same as a moved source, so
    one image has to stay the reference: label 0, which is never shifted, like everything outside the grid.

        RegionShift(labels=labels, grid=grid, dx={"2": dist.Normal(0, 0.1)}, dy={"2": dist.Normal(0, 0.1)})

    Attributes:
        labels: whole number per pixel, shape (ny, nx); a position takes the label of the pixel it lies in.
        grid: where the pixels of `labels` lie.
        dx: shift to the West in arcsec, keyed by the label written as text; a label without a key is not shifted.
        dy: shift to the North in arcsec, likewise.
    """

    labels: jax.Array
    grid: Grid
    dx: Mapping[str, Any] = parameter("arcsec", role="shift x")
    dy: Mapping[str, Any] = parameter("arcsec", role="shift y")

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec: minus the shift."""
        label = self._label(x, y)
        return -_chosen(self.dx, label, x), -_chosen(self.dy, label, y)

    def _label(self, x: jax.Array, y: jax.Array) -> jax.Array:
        ny, nx = self.grid.shape
        column, row = (jnp.floor(k + 0.5) for k in self.grid.to_pixel(x, y))
        inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
        j, i = (jnp.where(inside, k, 0).astype(int) for k in (row, column))
        return jnp.where(inside, jnp.asarray(self.labels)[j, i], 0)


def _chosen(shifts: Mapping[str, Any], label: jax.Array, like: jax.Array) -> jax.Array:
    total = jnp.zeros_like(like)
    for key, shift in shifts.items():
        if int(key) != 0:
            total = total + jnp.where(label == int(key), shift, 0.0)
    return total
