"""Points put on a regular grid so that their low moments are kept."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.patches import put

POINTS = 10
"""Grid points per axis that share a point: moments 0 to 9 are kept exactly."""


def spread(field: jax.Array, column: jax.Array, row: jax.Array, values: jax.Array, radius: float) -> jax.Array:
    """Adds groups of points to a gridded field with Lagrange weights on the 10 x 10 nearest grid points.

    The field times any polynomial of degree up to 9 per axis sums to the same as the points times it; a smooth kernel
    therefore sees the points where they are. What comes to lie off the grid is dropped.

    Args:
        field: shape (channels, ny, nx).
        column: fractional grid column of each point, shape (groups, P).
        row: fractional grid row of each point, shape (groups, P).
        values: shape (channels, groups, P).
        radius: of a group's points around their mean position, at most; in grid points.
    """
    count = 2 * math.ceil(radius) + 2 + POINTS
    left, x_weights = _dense(column, count)
    top, y_weights = _dense(row, count)
    weighted = jnp.einsum("gip,cgp->gcip", y_weights, values, precision=jax.lax.Precision.HIGHEST)
    patches = jnp.einsum("gcip,gjp->gcij", weighted, x_weights, precision=jax.lax.Precision.HIGHEST)
    # What lies off the grid goes to a border, which is then cut off.
    ny, nx = field.shape[1:]
    wide = jnp.pad(field, ((0, 0), (count, count), (count, count)))
    wide = put(wide, patches, jnp.clip(top + count, 0, ny + count), jnp.clip(left + count, 0, nx + count))
    return wide[:, count : count + ny, count : count + nx]


def _dense(position: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """The first of `count` grid points around groups of positions, (groups,), and all weights, (groups, count, P)."""
    middle = jax.lax.stop_gradient(0.5 * (position.min(axis=1) + position.max(axis=1)))
    first = jnp.floor(middle).astype(int) - count // 2
    indices, weights = stencil((position - first[:, None]).ravel())
    indices, weights = (a.reshape(*position.shape, POINTS) for a in (indices, weights))
    points = jnp.arange(count)[None, :, None]
    # One comparison for each of few places, where a scatter would go point by point.
    shares = (jnp.where(points == indices[:, None, :, k], weights[:, None, :, k], 0.0) for k in range(POINTS))
    return first, sum(shares, start=jnp.zeros((), position.dtype))


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
