"""Cells of a regular grid replaced by smaller ones where a function is doubtful, over a few levels of static size.

A function known at the middles of cells is split as f = (1 - w) f + w f, where w is one around the most doubtful cells
and falls to zero over a cell, as a quadratic B-spline does. The first part stays on the cells, the second is known in
factor x factor smaller cells. At both sizes, the sum of such a spline times a parabola over the cells is its integral:
no edge between the sizes is seen. The worst of the smaller cells where w is one are treated in the same way.

Which cells are doubtful is decided from values, without derivative; how many are replaced is fixed.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.tree import node, static

REACH = 2
"""Cells around a doubtful one that are replaced with it: the ring at the edge keeps half of its weight or more."""

FOURTH = (1.0, -4.0, 6.0, -4.0, 1.0)
WING = 2
"""Weights of fourth differences, and how many cells they need on each side."""

POINTS = 9
"""Grid points per axis that share a small cell (see `put`)."""

KNOWN = 5
"""Likewise, by which a gridded function is interpolated (see `between`)."""

HIGHEST = jax.lax.Precision.HIGHEST


@node
class Cells:
    """Blocks of factor x factor small cells, each in the place of one larger cell.

    Attributes:
        row, column: which cell each block replaces, counted on the whole plane in cells of that size, shape (K,).
        around: positions, in this list, of the 3 x 3 blocks around each, K where there is none, shape (K, 3, 3).
        weight: w at the small cells, shape (K, factor, factor).
        whole: whether w is 1 all over a block, shape (K,).
        factor: small cells along a larger one.
        depth: cells of the grid were divided by `factor` so many times.
    """

    row: jax.Array
    column: jax.Array
    around: jax.Array
    weight: jax.Array
    whole: jax.Array
    factor: int = static()
    depth: int = static()

    def positions(self) -> tuple[jax.Array, jax.Array]:
        """Fractional grid columns (K, 1, factor) and rows (K, factor, 1) of the small cells' middles."""
        column, row = (
            ((k[:, None] * self.factor + np.arange(self.factor)) + 0.5) / self.factor**self.depth - 0.5
            for k in (self.column, self.row)
        )
        return column[:, None, :], row[:, :, None]

    def home(self) -> tuple[jax.Array, jax.Array]:
        """Row and column of the cell of the grid in which each block lies."""
        parts = self.factor ** (self.depth - 1)
        return self.row // parts, self.column // parts

    def neighbours(self, points: int, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
        """Rows and columns of the grid's points around that cell, each of shape (K, points)."""
        rows, columns = (
            jnp.clip(k[:, None] + _around(points), 0, n - 1) for k, n in zip(self.home(), shape, strict=True)
        )
        return rows, columns

    def shares(self, points: int) -> tuple[jax.Array, jax.Array]:
        """Lagrange weights of the small cells' rows and columns on the grid points around their home.

        Each of shape (K, factor, points).
        """
        parts = self.factor ** (self.depth - 1)
        offsets = (np.arange(parts * self.factor) + 0.5) / (parts * self.factor) - 0.5
        table = _lagrange(offsets, points).reshape(parts, self.factor, points)
        along_y, along_x = (jnp.asarray(table, self.weight.dtype)[k % parts] for k in (self.row, self.column))
        return along_y, along_x


def replace(
    amounts: jax.Array, allowed: jax.Array, cells: int, factor: int, parent: Cells | None = None
) -> tuple[jax.Array, Cells]:
    """Chooses the most doubtful cells of a grid, or of smaller cells, to be replaced by still smaller ones.

    A cell is as doubtful as the fourth differences of the function around it are large: there, its middle does not
    stand for it.

    Args:
        amounts: what is sampled, shape (ny, nx), or (K, factor, factor) in the cells of `parent`.
        allowed: cells that may be replaced; not those at the border of a grid.
        cells: how many are replaced.
        factor: along each axis, into how many.
        parent: the cells, where they are not those of a grid.

    Returns:
        1 - w, what is left to each cell, and the smaller cells.
    """
    around = None if parent is None else parent.around
    shape = amounts.shape
    amounts, allowed = (a.reshape(-1, *shape[-2:]) for a in (amounts, allowed))
    doubt = _roughness(_widened(jax.lax.stop_gradient(amounts), around, REACH + WING))
    doubt = _largest_near(jnp.where(_widened(allowed, around, REACH), doubt, 0.0), REACH)
    # In single precision: a partial sort of doubles is a full one.
    score = jnp.where(allowed, doubt / jnp.maximum(jnp.max(doubt), jnp.finfo(doubt.dtype).tiny), 0.0)
    worst, which = jax.lax.top_k(score.astype(jnp.float32).ravel(), min(cells, score.size))
    block, i, j = jnp.unravel_index(which, score.shape)
    marked = worst > 0.0
    chosen = jnp.zeros(score.shape, bool).at[block, i, j].set(marked)
    inner = _all_around(_widened(chosen, around, 1)).astype(amounts.dtype)
    slots = jnp.full(score.shape, len(which)).at[block, i, j].set(jnp.where(marked, jnp.arange(len(which)), len(which)))
    coefficients = _widened(inner, around, 1)
    spline = jnp.asarray(_spline((np.arange(factor) + 0.5) / factor - 0.5), amounts.dtype)
    near = _windows(coefficients, block, i, j)
    first = (0, 0) if parent is None else (parent.row[block], parent.column[block])
    found = Cells(
        row=first[0] * shape[-2] + i,
        column=first[1] * shape[-1] + j,
        around=_windows(_widened(slots, around, 1, len(which)), block, i, j),
        weight=jnp.dot(near.reshape(-1, 9), jnp.kron(spline, spline).T, precision=HIGHEST).reshape(-1, factor, factor),
        whole=jnp.all(near > 0.0, axis=(1, 2)),
        factor=factor,
        depth=1 if parent is None else parent.depth + 1,
    )
    return 1.0 - _smoothed(coefficients).reshape(shape), found


def away_from_ends(known: jax.Array) -> jax.Array:
    """Cells of a grid that have all neighbours that `put` and `between` need, and of which these are known."""
    inner = known
    for _ in range(KNOWN // 2):
        inner = _all_around(jnp.pad(inner, 1))
    rows, columns = ((np.arange(n) >= POINTS // 2) & (np.arange(n) < n - POINTS // 2) for n in known.shape)
    return inner & rows[:, None] & columns


def put(field: jax.Array, cells: Cells, amounts: jax.Array) -> jax.Array:
    """Adds amounts in small cells to those of a grid, so that their low moments are kept.

    The grid times any polynomial of degree below `POINTS` per axis sums to the same as the small cells times it; a
    smooth kernel therefore sees these where they are.

    Args:
        field: shape (channels, ny, nx).
        cells: where; none whose weight is not zero lies at the border of the grid.
        amounts: shape (channels, K, factor, factor).
    """
    along_y, along_x = cells.shares(POINTS)
    rows, columns = cells.neighbours(POINTS, field.shape[1:])
    # As sums of products: as many matrices of this size would be multiplied one by one.
    lines = reduce(add, (along_y[:, s, :, None] * amounts[:, :, s, None, :] for s in range(cells.factor)))
    moved = reduce(add, (lines[..., t, None] * along_x[:, t, None, :] for t in range(cells.factor)))
    return field.at[:, rows[:, :, None], columns[:, None, :]].add(moved)


def between(field: jax.Array, cells: Cells) -> jax.Array:
    """A function known on a grid, (channels, ny, nx), in the middles of small cells: (channels, K, factor, factor)."""
    along_y, along_x = cells.shares(KNOWN)
    rows, columns = cells.neighbours(KNOWN, field.shape[1:])
    near = field[:, rows[:, :, None], columns[:, None, :]]
    lines = reduce(add, (along_y[:, :, p, None] * near[:, :, None, p, :] for p in range(KNOWN)))
    return reduce(add, (lines[..., None, q] * along_x[:, None, :, q] for q in range(KNOWN)))


def _around(points: int) -> np.ndarray:
    return np.arange(points) - points // 2


def _lagrange(offsets: np.ndarray, points: int) -> np.ndarray:
    """Weights, on `points` integers around 0, that interpolate at offsets: shape (offsets, points)."""
    nodes = _around(points)
    return np.stack([np.prod([(offsets - m) / (k - m) for m in nodes if m != k], axis=0) for k in nodes], axis=1)


def _spline(offsets: np.ndarray) -> np.ndarray:
    """Quadratic B-splines around -1, 0 and 1 at offsets from -1/2 to 1/2: shape (offsets, 3)."""
    return np.stack([0.5 * (0.5 - offsets) ** 2, 0.75 - offsets**2, 0.5 * (0.5 + offsets) ** 2], axis=1)


def _widened(values: jax.Array, around: jax.Array | None, width: int, empty: int = 0) -> jax.Array:
    """With `width` cells more on each side of every block, those of its neighbours; `empty` where there are none.

    Args:
        values: shape (K, n, n), or (1, ny, nx) for a grid, which has no neighbours.
        around: see `Cells`.
        width: at most n.
        empty: of what is not there.
    """
    if around is None:
        return jnp.pad(values, [(0, 0), (width, width), (width, width)], constant_values=empty)
    n = values.shape[-1]
    near = jnp.pad(values, [(0, 1), (0, 0), (0, 0)], constant_values=empty)[around]
    whole = jnp.swapaxes(near, 2, 3).reshape(-1, 3 * n, 3 * n)
    return whole[:, n - width : 2 * n + width, n - width : 2 * n + width]


def _windows(widened: jax.Array, block: jax.Array, i: jax.Array, j: jax.Array) -> jax.Array:
    """The 3 x 3 cells around some, of blocks widened by one: shape (cells, 3, 3)."""
    near = np.arange(3)
    return widened[block[:, None, None], i[:, None, None] + near[:, None], j[:, None, None] + near]


def _roughness(amounts: jax.Array) -> jax.Array:
    """Fourth differences along both axes; `WING` cells less on each side.

    Second differences are large wherever a function is curved, fourth ones only where its samples do not follow it.
    """
    inner = slice(WING, -WING)
    rows = _fourth_differences(amounts[..., inner])
    columns = jnp.swapaxes(_fourth_differences(jnp.swapaxes(amounts[..., inner, :], -1, -2)), -1, -2)
    return jnp.abs(rows) + jnp.abs(columns)


def _fourth_differences(lines: jax.Array) -> jax.Array:
    """Along the axis before the last."""
    n = lines.shape[-2] - 2 * WING
    return reduce(add, (weight * lines[..., k : k + n, :] for k, weight in enumerate(FOURTH)))


def _largest_near(values: jax.Array, width: int) -> jax.Array:
    """The largest within `width` cells along both axes; so many cells less on each side."""
    for axis in (-2, -1):
        span, whole = 1, 2 * width + 1
        while span < whole:
            step = min(span, whole - span)
            n = values.shape[axis] - step
            first, second = (jax.lax.slice_in_dim(values, k, k + n, axis=axis) for k in (0, step))
            values, span = jnp.maximum(first, second), span + step
    return values


def _all_around(chosen: jax.Array) -> jax.Array:
    """Where all of 3 x 3 are; one cell less on each side."""
    return ~_largest_near(~chosen, 1)


def _smoothed(coefficients: jax.Array) -> jax.Array:
    """The spline with these coefficients at the middles of cells; one cell less on each side."""
    rows = 0.75 * coefficients[..., 1:-1, :] + 0.125 * (coefficients[..., 2:, :] + coefficients[..., :-2, :])
    return 0.75 * rows[..., 1:-1] + 0.125 * (rows[..., 2:] + rows[..., :-2])
