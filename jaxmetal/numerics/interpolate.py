"""Interpolation of a regular grid at fractional pixel indices, differentiable in positions and values."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

EDGE = 1e-3
"""A position this far (in pixels) beyond the outermost centres still counts as inside: round-off of coordinates."""


def bilinear(values: jax.Array, column: jax.Array, row: jax.Array, outside: float | jax.Array = 0.0) -> jax.Array:
    """Bilinear interpolation: continuous, exact for planes, first derivatives jump at pixel centres.

    Args:
        values: shape (..., ny, nx), at least 2 x 2. A NaN spreads to the four cells around its pixel.
        column: fractional column index, any shape; pixel centres are at integers.
        row: fractional row index, same shape.
        outside: the result where a position (NaN included) is not between the outermost pixel centres.

    Returns:
        Shape (..., *column.shape).
    """
    values = jnp.asarray(values)
    return _interpolate(values, values.shape[-2:], _linear_weights, column, row, outside)


def cubic(values: jax.Array, column: jax.Array, row: jax.Array, outside: float | jax.Array = 0.0) -> jax.Array:
    """Cubic convolution (Keys 1981, IEEE Trans. ASSP 29, 1153; a = -1/2).

    First derivatives are continuous; parabolas are exact. Beyond the border the samples continue by Keys' rule
    c[-1] = 3 c[0] - 3 c[1] + c[2].

    Args:
        values: shape (..., ny, nx), at least 3 x 3. A NaN spreads to the sixteen cells around its pixel.
        column: fractional column index, any shape; pixel centres are at integers.
        row: fractional row index, same shape.
        outside: the result where a position (NaN included) is not between the outermost pixel centres.

    Returns:
        Shape (..., *column.shape).
    """
    values = jnp.asarray(values)
    widened = _widened(_widened(values, axis=-1), axis=-2)
    return _interpolate(widened, values.shape[-2:], _cubic_weights, column, row, outside)


def cubic_variance(
    variance: jax.Array, column: jax.Array, row: jax.Array, outside: float | jax.Array = 0.0
) -> jax.Array:
    """Variance of what `cubic` makes of independent samples: its weights squared; arguments likewise.

    Beyond the border, where samples are continued by three others, the nearest one's is taken.
    """
    variance = jnp.asarray(variance)
    stored = jnp.pad(variance, [*[(0, 0)] * (variance.ndim - 2), (1, 1), (1, 1)], mode="edge")

    def squared(t: jax.Array) -> list[jax.Array]:
        return [weight**2 for weight in _cubic_weights(t)]

    return _interpolate(stored, variance.shape[-2:], squared, column, row, outside)


def spline(coefficients: jax.Array, column: jax.Array, row: jax.Array, outside: float | jax.Array = 0.0) -> jax.Array:
    """The cubic spline (second derivatives continuous) that is a sum of B-splines; arguments as of `cubic`.

    It passes near, not through, its coefficients; they are 0 beyond the border.
    """
    coefficients = jnp.asarray(coefficients)
    stored = jnp.pad(coefficients, [*[(0, 0)] * (coefficients.ndim - 2), (1, 1), (1, 1)])
    return _interpolate(stored, coefficients.shape[-2:], _spline_weights, column, row, outside)


def _interpolate(
    stored: jax.Array,
    shape: tuple[int, ...],
    weights: Callable[[jax.Array], list[jax.Array]],
    column: jax.Array,
    row: jax.Array,
    outside: float | jax.Array,
) -> jax.Array:
    """Sums weights(y) weights(x) stored over the stencil that starts, in `stored`, at the cell of each position."""
    ny, nx = shape
    column, row = jnp.broadcast_arrays(column, row)
    inside = _between(column, nx) & _between(row, ny)
    # Positions outside move to a harmless place first: a NaN there would otherwise reach the gradient.
    first_column, x = _cell(jnp.where(inside, column, 0.0), nx)
    first_row, y = _cell(jnp.where(inside, row, 0.0), ny)
    total = sum(
        wy * wx * stored[..., first_row + k, first_column + m]
        for k, wy in enumerate(weights(y))
        for m, wx in enumerate(weights(x))
    )
    return jnp.where(inside, total, outside)


def _between(position: jax.Array, n: int) -> jax.Array:
    return (position >= -EDGE) & (position <= n - 1 + EDGE)


def _cell(position: jax.Array, n: int) -> tuple[jax.Array, jax.Array]:
    """The sample before each position and the fraction of a pixel from it to the position."""
    first = jnp.clip(jnp.floor(jax.lax.stop_gradient(position)).astype(int), 0, n - 2)
    return first, position - first


def _linear_weights(t: jax.Array) -> list[jax.Array]:
    return [1.0 - t, t]


def _cubic_weights(t: jax.Array) -> list[jax.Array]:
    """Keys' kernel with a = -1/2 at the samples -1, 0, 1, 2 (a Catmull-Rom spline)."""
    return [
        0.5 * t * (t * (2.0 - t) - 1.0),
        0.5 * (t**2 * (3.0 * t - 5.0) + 2.0),
        0.5 * t * (t * (4.0 - 3.0 * t) + 1.0),
        0.5 * t**2 * (t - 1.0),
    ]


def _spline_weights(t: jax.Array) -> list[jax.Array]:
    """The cubic B-spline at the samples -1, 0, 1, 2."""
    s = 1.0 - t
    return [
        s**3 / 6.0,
        (4.0 - 6.0 * t**2 + 3.0 * t**3) / 6.0,
        (4.0 - 6.0 * s**2 + 3.0 * s**3) / 6.0,
        t**3 / 6.0,
    ]


def _widened(values: jax.Array, axis: int) -> jax.Array:
    """One more sample at both ends of an axis, so that a parabola stays one."""
    v = jnp.moveaxis(values, axis, 0)
    before = 3.0 * (v[:1] - v[1:2]) + v[2:3]
    after = 3.0 * (v[-1:] - v[-2:-1]) + v[-3:-2]
    return jnp.moveaxis(jnp.concatenate([before, v, after]), 0, axis)
