"""Where two flux maps lie relative to each other, by cross-correlation, and the shift that undoes it."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.interpolate import cubic


class Offset(NamedTuple):
    """A displacement in pixels: `column` to the right, `row` upwards."""

    column: float
    row: float


def offset(reference: np.ndarray, other: np.ndarray, *, reach: float | None = None) -> Offset:
    """How far the features of `other` lie from those of `reference`, by the peak of their cross-correlation.

    c(d) = sum_p (reference(p) - mean) (other(p + d) - mean), zero beyond the frames, by FFT; the peak is refined by a
    paraboloid through it and its neighbours, good to a few hundredths of a pixel for features that are resolved by the
    pixels. NaN counts as the mean.

    Args:
        reference: shape (ny, nx).
        other: same shape.
        reach: the largest displacement searched along either axis, pixels; half the shorter side by default.

    Raises:
        InputError: if shapes differ, a map is constant, or the best displacement lies at the edge of the search.
    """
    first, second = _centred("reference", reference), _centred("other", other)
    if first.shape != second.shape:
        raise InputError(
            f"cross-correlation: expected maps of one shape, found {first.shape} and {second.shape}; cut them alike."
        )
    longest = int(np.floor(min(first.shape) / 2 if reach is None else reach))
    if not 1 <= longest < min(first.shape):
        raise InputError(
            f"reach: expected 1 to {min(first.shape) - 1} pixels for maps of {first.shape}, found {reach}; give such."
        )
    padded = tuple(2 * n for n in first.shape)
    product = np.conj(np.fft.rfft2(first, padded)) * np.fft.rfft2(second, padded)
    lags = np.arange(-longest, longest + 1)
    correlation = np.fft.irfft2(product, padded)[np.ix_(lags, lags)]
    row, column = np.unravel_index(np.argmax(correlation), correlation.shape)
    if not (0 < row < lags.size - 1 and 0 < column < lags.size - 1):
        raise InputError(
            f"cross-correlation: expected its peak within {longest} pixels, found it at that edge; "
            "search further with `reach`, or check that the maps show the same object."
        )
    to_row, to_column = _vertex(correlation[row - 1 : row + 2, column - 1 : column + 2])
    return Offset(column=float(lags[column] + to_column), row=float(lags[row] + to_row))


def shifted(values: jax.Array, by: Offset) -> jax.Array:
    """The map displaced by `by`, pixels, with cubic convolution; NaN where it has no data.

    `shifted(other, Offset(-found.column, -found.row))` lays `other` upon the reference of `offset`. Neighbouring
    pixels become correlated; maps of sigma are better shifted by whole pixels.
    """
    values = jnp.asarray(values)
    row, column = jnp.meshgrid(*(jnp.arange(n, dtype=float) for n in values.shape[-2:]), indexing="ij")
    return cubic(values, column - by.column, row - by.row, outside=jnp.nan)


def _centred(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    known = np.isfinite(values)
    if values.ndim != 2 or not known.any() or np.ptp(values[known]) == 0.0:
        raise InputError(f"{name}: expected a map of 2 axes with structure, found {values.shape} of one value or none.")
    return np.where(known, values - values[known].mean(), 0.0)


def _vertex(nine: np.ndarray) -> np.ndarray:
    """Where (row, column) a paraboloid through the middle of 3 x 3 values peaks; features may be tilted."""
    slope = 0.5 * np.array([nine[2, 1] - nine[0, 1], nine[1, 2] - nine[1, 0]])
    cross = 0.25 * (nine[2, 2] - nine[2, 0] - nine[0, 2] + nine[0, 0])
    rows, columns = nine[2, 1] - 2.0 * nine[1, 1] + nine[0, 1], nine[1, 2] - 2.0 * nine[1, 1] + nine[1, 0]
    return np.clip(-np.linalg.solve(np.array([[rows, cross], [cross, columns]]), slope), -1.0, 1.0)
