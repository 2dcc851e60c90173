"""Points put on a regular grid so that their low moments are kept."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

POINTS = 10
"""Grid points per axis that share a point: moments 0 to 9 are kept exactly."""


def spread(field: jax.Array, column: jax.Array, row: jax.Array, values: jax.Array) -> jax.Array:
    """Adds points to a gridded field with Lagrange weights on the 10 x 10 nearest grid points.

    The field times any polynomial of degree up to 9 per axis sums to the same as the points times it; a smooth kernel
    therefore sees the points where they are. Points that lie off the grid are dropped.

    Args:
        field: shape (channels, ny, nx).
        column: fractional grid column of each point, shape (P,).
        row: fractional grid row of each point, shape (P,).
        values: shape (channels, P).
    """
    columns, x_weights = stencil(column)
    rows, y_weights = stencil(row)
    weights = y_weights[:, :, None] * x_weights[:, None, :]
    amounts = values[:, :, None, None] * weights
    # A negative index would wrap around to the other side of the grid; one past the end is dropped.
    rows = jnp.where(rows < 0, field.shape[1], rows)
    columns = jnp.where(columns < 0, field.shape[2], columns)
    return field.at[:, rows[:, :, None], columns[:, None, :]].add(amounts, mode="drop")


def stencil(position: jax.Array, points: int = POINTS, within: int | None = None) -> tuple[jax.Array, jax.Array]:
    """Indices (P, points) of the grid points around each position and the Lagrange weights there.

    Args:
        position: fractional grid index, shape (P,).
        points: grid points that share a position.
        within: number of grid points of the axis, where none beyond may be used.
    """
    start = jnp.floor(jax.lax.stop_gradient(position)).astype(int) - (points // 2 - 1)
    start = start if within is None else jnp.clip(start, 0, within - points)
    offset = position - start
    nodes = np.arange(points)
    weights = [jnp.prod(jnp.stack([(offset - m) / (k - m) for m in nodes if m != k]), axis=0) for k in nodes]
    return start[:, None] + nodes, jnp.stack(weights, axis=1)
