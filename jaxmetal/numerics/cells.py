"""From samples to cells and back, keeping the low moments of what is sampled."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.spread import POINTS, stencil

CELL_RULE = (-17.0 / 5760.0, 308.0 / 5760.0, 5178.0 / 5760.0, 308.0 / 5760.0, -17.0 / 5760.0)
"""Weights on five equidistant samples that integrate a polynomial of degree 5 over the middle cell."""
BETWEEN_RULE = (11.0 / 1440.0, -93.0 / 1440.0, 802.0 / 1440.0, 802.0 / 1440.0, -93.0 / 1440.0, 11.0 / 1440.0)
"""Weights on six that integrate one over the cell between the middle two."""


def settle(field: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Moves samples to the centres of cells over the same area, so that their low moments are kept.

    Unlike the sum over each cell this blurs nothing: a smooth kernel on the cells sees every sample where it is.

    Args:
        field: shape (channels, ny, nx).
        shape: how many cells there are along y and x.
    """
    if field.shape[-2:] == shape:
        return field
    along_y, along_x = (_shares(cells, n, field.dtype) for cells, n in zip(shape, field.shape[-2:], strict=True))
    return jnp.einsum("iy,cyx,jx->cij", along_y, field, along_x, precision=jax.lax.Precision.HIGHEST)


def integrate_cells(values: jax.Array) -> jax.Array:
    """Integrals over cells of a function of two coordinates that is known on a grid as fine, and zero beyond it.

    Args:
        values: shape (ny, nx). Along an odd side the function is known at the cells' centres, along an even one at
            their borders, so that the middle of the array is the centre of a cell.

    Returns:
        Shape (ny + 4, nx + 4), a side that was even one longer.
    """
    rule_y, rule_x = (jnp.asarray(CELL_RULE if n % 2 else BETWEEN_RULE, values.dtype) for n in values.shape)
    along_y = jax.vmap(lambda column: jnp.convolve(column, rule_y), in_axes=1, out_axes=1)
    along_x = jax.vmap(lambda row: jnp.convolve(row, rule_x))
    return along_x(along_y(values))


def _shares(cells: int, count: int, dtype: jnp.dtype) -> jax.Array:
    """Share of each of `count` samples that each cell of an axis gets, shape (cells, count)."""
    samples = jnp.arange(count)
    indices, weights = stencil((samples + 0.5) * (cells / count) - 0.5, points=min(POINTS, cells), within=cells)
    return jnp.zeros((cells, count), dtype).at[indices, samples[:, None]].set(weights.astype(dtype))
