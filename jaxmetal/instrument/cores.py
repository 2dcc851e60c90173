"""Samples at polar nodes around cusps, and where they are moved before a blur."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.chebyshev import cardinals, nodes
from jaxmetal.numerics.cusp import EXTENT, polar_nodes
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

    def gathered(self, sampling: Sampling) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The samples of each core moved to order x order nodes around it, where alone W must then be known.

        W varies smoothly across a core, hence W(x_i - x_p) = sum_m W(x_i - node m) l_m(x_p), to round-off.

        Returns:
            Columns and rows of the nodes, shape (cores, order), and fluxes, shape (channels, cores, order, order).
        """
        order, extent = sampling.core_order, EXTENT * sampling.core_size
        dx, dy, _ = polar_nodes(*sampling.core_nodes, sampling.core_size)
        along_y, along_x = cardinals(order, dy / extent), cardinals(order, dx / extent)
        flux = jnp.einsum("mp,clp,np->clmn", along_y, self.flux, along_x, precision=HIGHEST)
        around = extent * nodes(order)
        return self.column[:, None] + around, self.row[:, None] + around, flux
