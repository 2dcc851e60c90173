"""Bins of pixels (Voronoi, powerbin, annuli, ...): read from a map of labels, never made here."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, static


@node
class Bins:
    """Which bin each pixel belongs to.

    Attributes:
        labels: integer map, shape (ny, nx): 0 ... n - 1, and -1 for pixels in no bin.
        n: number of bins.
    """

    labels: Any
    n: int = static()

    def total(self, pixels: jax.Array) -> jax.Array:
        """Sums the last two axes over each bin: (..., ny, nx) to (..., n)."""
        labels = jnp.where(self.labels < 0, self.n, self.labels).ravel()
        flat = pixels.reshape(*pixels.shape[:-2], -1)
        sums = jax.ops.segment_sum(jnp.moveaxis(flat, -1, 0), labels, num_segments=self.n + 1)
        return jnp.moveaxis(sums[: self.n], 0, -1)

    def paint(self, values: jax.Array) -> jax.Array:
        """The map whose pixels hold their bin's value, NaN outside all bins: (n,) to (ny, nx)."""
        return jnp.where(self.labels < 0, jnp.nan, values[jnp.maximum(self.labels, 0)])
