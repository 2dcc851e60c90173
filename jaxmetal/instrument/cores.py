"""Samples at polar nodes around cusps, and where they are moved before a blur."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.chebyshev import cardinals, nodes
from jaxmetal.numerics.cusp import EXTENT, polar_nodes, ring_radii
from jaxmetal.numerics.tree import node

HIGHEST = jax.lax.Precision.HIGHEST


@node
class Cores:
    """Samples at the polar nodes (`Sampling.core_nodes`) around the cusps of one or more lights.

    Attributes:
        column, row: fractional native pixel positions of the cusps, shape (cores,).
        flux: shape (channels, cores, nodes).
    """

    column: jax.Array
    row: jax.Array
    flux: jax.Array

    def positions(self, sampling: Sampling) -> tuple[jax.Array, jax.Array]:
        """Columns and rows of the samples, each of shape (cores, nodes)."""
        dx, dy, _ = polar_nodes(*sampling.core_nodes, sampling.core_size)
        return self.column[:, None] + dx.astype(self.column.dtype), self.row[:, None] + dy.astype(self.row.dtype)

    def near(self, sampling: Sampling) -> int:
        """How many of the samples, from the centre on, are moved to fewer nodes before the blur."""
        # The nodes' weights have both signs: in single precision, what they leave in the PSF's wings is round-off.
        if not sampling.core_order or self.flux.dtype != jnp.float64:
            return 0
        radial, angular = sampling.core_nodes
        return angular * int(np.sum(sampling.core_size * ring_radii(radial) <= sampling.core_moved))

    def gathered(self, sampling: Sampling) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The samples of each core near its centre moved to order x order nodes, where alone W must then be known.

        W varies smoothly there, hence W(x_i - x_p) = sum_m W(x_i - node m) l_m(x_p), to round-off.

        Returns:
            Columns and rows of the nodes, shape (cores, order), and fluxes, shape (channels, cores, order, order).
        """
        order, extent = sampling.core_order, min(sampling.core_moved, EXTENT * sampling.core_size)
        dx, dy, _ = (part[: self.near(sampling)] for part in polar_nodes(*sampling.core_nodes, sampling.core_size))
        along_y, along_x = cardinals(order, dy / extent), cardinals(order, dx / extent)
        flux = self.flux[..., : dx.size]
        flux = jnp.einsum("mp,clp,np->clmn", along_y, flux, along_x, precision=HIGHEST)
        around = extent * nodes(order)
        return self.column[:, None] + around, self.row[:, None] + around, flux

    def rest(self, sampling: Sampling) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Columns, rows and fluxes of the other samples, shapes (cores, nodes) and (channels, cores, nodes)."""
        near = self.near(sampling)
        column, row = (place[:, near:] for place in self.positions(sampling))
        return column, row, self.flux[..., near:]
