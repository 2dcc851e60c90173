"""From samples to cells and back, keeping the low moments of what is sampled."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.spread import POINTS, stencil

CELL_RULE = (-17.0 / 5760.0, 308.0 / 5760.0, 5178.0 / 5760.0, 308.0 / 5760.0, -17.0 / 5760.0)
"""Weights on five equidistant samples that integrate a polynomial of degree 5 over the middle cell."""


def settle(field: jax.Array, factor: int) -> jax.Array:
    """Moves samples to the centres of cells of factor x factor of them, so that their low moments are kept.

    Unlike the sum over each cell this blurs nothing: a smooth kernel on the cells sees every sample where it is.

    Args:
        field: shape (channels, ny, nx), both multiples of `factor`.
        factor: samples per cell and axis.
    """
    if factor == 1:
        return field
    along_y, along_x = (_shares(n // factor, factor, field.dtype) for n in field.shape[-2:])
    return jnp.einsum("iy,cyx,jx->cij", along_y, field, along_x, precision=jax.lax.Precision.HIGHEST)


def integrate_cells(values: jax.Array) -> jax.Array:
    """Integrals over cells of a function of two coordinates known at their centres and zero beyond them.

    Args:
        values: shape (ny, nx).

    Returns:
        Shape (ny + 4, nx + 4).
    """
    rule = jnp.asarray(CELL_RULE, values.dtype)
    along_y = jax.vmap(lambda column: jnp.convolve(column, rule), in_axes=1, out_axes=1)
    along_x = jax.vmap(lambda row: jnp.convolve(row, rule))
    return along_x(along_y(values))


def _shares(cells: int, factor: int, dtype: jnp.dtype) -> jax.Array:
    """Share of each sample that each cell of an axis gets, shape (cells, cells * factor)."""
    samples = jnp.arange(cells * factor)
    indices, weights = stencil((samples + 0.5) / factor - 0.5, points=min(POINTS, cells), within=cells)
    return jnp.zeros((cells, cells * factor), dtype).at[indices, samples[:, None]].set(weights.astype(dtype))
