"""Where two flux maps lie relative to each other, by normalised cross-correlation, and the shift that undoes it."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.interpolate import cubic

ROUND_OFF = 1e-10
"""Share of a map's sum of squares below which what an overlap holds of it is the noise of the FFT."""


class Offset(NamedTuple):
    """A displacement in pixels: `column` to the right, `row` upwards."""

    column: float
    row: float


def offset(reference: np.ndarray, other: np.ndarray, *, reach: float | None = None) -> Offset:
    """How far the features of `other` lie from those of `reference`, by the peak of their normalised correlation.

        NCC(d) = 1/n sum_p (f(p) - <f>) (t(p + d) - <t>) / (s_f s_t)

    (Wang et al. 2017, ApJ 837, 89, eq. 1): f = reference and t = other, their means < > and standard deviations s being
    those of the n pixels that both have at the displacement d. The peak is refined by a paraboloid through it and its
    neighbours, good to a few hundredths of a pixel for features that are resolved by the pixels. NaN is no pixel.

    Args:
        reference: shape (ny, nx).
        other: same shape.
        reach: the largest displacement searched along either axis, pixels; half the shorter side by default.

    Raises:
        InputError: if shapes differ, a map is constant, or the best displacement lies at the edge of the search.
    """
    first, second = _centred("reference", reference), _centred("other", other)
    if first.values.shape != second.values.shape:
        raise InputError(
            f"cross-correlation: expected maps of one shape, found {first.values.shape} and {second.values.shape}; "
            "cut them alike."
        )
    side = min(first.values.shape)
    longest = int(np.floor(side / 2 if reach is None else reach))
    if not 1 <= longest < side:
        raise InputError(
            f"reach: expected 1 to {side - 1} pixels for maps of {first.values.shape}, found {reach}; give such."
        )
    lags = np.arange(-longest, longest + 1)
    correlation = _normalised(first, second, lags)
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


class _Known(NamedTuple):
    """A map less its mean, 0 where it has no number, and 1 where it has one."""

    values: np.ndarray
    there: np.ndarray


def _centred(name: str, values: np.ndarray) -> _Known:
    values = np.asarray(values, float)
    known = np.isfinite(values)
    if values.ndim != 2 or not known.any() or np.ptp(values[known]) == 0.0:
        raise InputError(f"{name}: expected a map of 2 axes with structure, found {values.shape} of one value or none.")
    return _Known(np.where(known, values - values[known].mean(), 0.0), known.astype(float))


def _normalised(first: _Known, second: _Known, lags: np.ndarray) -> np.ndarray:
    """NCC at every pair of lags (rows, columns), each sum over the overlap by FFT (Padfield 2012, IEEE TIP 21, 2706).

    -inf where fewer than three pixels overlap, or one of the maps does not vary there.
    """
    padded = [2 * n for n in first.values.shape]
    spectra = [[np.fft.rfft2(one, padded) for one in (m.there, m.values, m.values**2)] for m in (first, second)]

    def overlap(i: int, j: int) -> np.ndarray:
        """sum_p f^i(p) t^j(p + d)."""
        return np.fft.irfft2(np.conj(spectra[0][i]) * spectra[1][j], padded)[np.ix_(lags, lags)]

    n = np.maximum(np.rint(overlap(0, 0)), 1.0)
    f, t = overlap(1, 0), overlap(0, 1)
    of_f, of_t = overlap(2, 0) - f**2 / n, overlap(0, 2) - t**2 / n
    total_f, total_t = np.sum(first.values**2), np.sum(second.values**2)
    varies = (n > 2) & (of_f > ROUND_OFF * total_f) & (of_t > ROUND_OFF * total_t)
    product = np.where(varies, of_f * of_t, 1.0)
    return np.where(varies, (overlap(1, 1) - f * t / n) / np.sqrt(product), -np.inf)


def _vertex(nine: np.ndarray) -> np.ndarray:
    """Where (row, column) a paraboloid through the middle of 3 x 3 values peaks; features may be tilted."""
    slope = 0.5 * np.array([nine[2, 1] - nine[0, 1], nine[1, 2] - nine[1, 0]])
    cross = 0.25 * (nine[2, 2] - nine[2, 0] - nine[0, 2] + nine[0, 0])
    rows, columns = nine[2, 1] - 2.0 * nine[1, 1] + nine[0, 1], nine[1, 2] - 2.0 * nine[1, 1] + nine[1, 0]
    return np.clip(-np.linalg.solve(np.array([[rows, cross], [cross, columns]]), slope), -1.0, 1.0)
