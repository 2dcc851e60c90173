"""How alike the noise of neighbouring pixels is, as blank sky shows it, and what that does to sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import as_map, as_mask, require_count
from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood.correlation import KernelCorrelation

FEWEST = 200
"""Blank pixels below which a correlation is mostly noise itself."""


def blank_sky_correlation(values: Any, sigma: Any, blank: Any, reach: int = 4) -> KernelCorrelation:
    """The correlation of noise between pixels up to `reach` apart, estimated where there is nothing but noise.

    With r = (value - mean) / sigma, C(lag) = sum r_p r_(p + lag) / number of such pairs, both over blank pixels. Its
    Fourier transform, power, is cut where it is negative; noise is then as if white noise had been smoothed by the
    kernel whose transform is the root of that power, cut at `reach`, and has the correlation of such noise, which is
    positive semi-definite. The error of a correlation is some 1 / sqrt(blank pixels).

    Args:
        values: map, shape (ny, nx).
        sigma: its errors, a number or of that shape; their scale does not matter.
        blank: True for pixels of blank sky, of that shape; the galaxy must not be among them.
        reach: largest lag, pixels, along rows and columns, at which noise is alike.

    Raises:
        InputError: if shapes differ, there are fewer than 200 blank pixels, or they have no scatter.
    """
    require_count("reach", reach, 1)
    data = as_map("values", values)
    errors = np.broadcast_to(np.asarray(sigma, float), data.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = data / errors
    used = as_mask(blank, data.shape) & np.isfinite(scaled) & np.isfinite(errors)
    if used.sum() < FEWEST:
        raise InputError(
            f"blank: expected {FEWEST} pixels of blank sky or more, found {used.sum()}; take a larger map, or state "
            "the smoothing kernel (KernelCorrelation.of_smoothing)."
        )
    residual = np.where(used, scaled - scaled[used].mean(), 0.0)
    if not residual.any():
        raise InputError("values: expected noise in blank sky, found one value everywhere; give the map as observed.")
    return KernelCorrelation.of_smoothing(_kernel(_covariance(residual, used, reach), reach))


def correlation_matrix(correlation: Any, rows: Any, columns: Any) -> np.ndarray:
    """Correlation between data at these places, in pixels, shape (n, n): for `classical.gls` and `annuli`.

    Args:
        correlation: called with lags, see `correlation.py`.
        rows: of each datum, shape (n,).
        columns: likewise.
    """
    row, column = np.asarray(rows, float), np.asarray(columns, float)
    return np.asarray(correlation(row[:, None] - row[None, :], column[:, None] - column[None, :]))


def _covariance(residual: np.ndarray, used: np.ndarray, reach: int) -> np.ndarray:
    """At lags of -reach to reach, shape (2 reach + 1, 2 reach + 1)."""
    shape = [n + reach for n in residual.shape]  # room, so that no pair goes round

    def pairs(array: np.ndarray) -> np.ndarray:
        return np.fft.ifft2(np.abs(np.fft.fft2(array, s=shape)) ** 2).real

    lags = np.arange(-reach, reach + 1)
    both = np.ix_(lags, lags)
    return pairs(residual)[both] / np.maximum(pairs(used.astype(float))[both], 0.5)


def _kernel(covariance: np.ndarray, reach: int) -> np.ndarray:
    """The smoothing kernel, of zero phase, whose noise has this covariance."""
    size = 8 * reach + 1
    padded = np.zeros((size, size))
    lags = np.arange(-reach, reach + 1)
    padded[np.ix_(lags, lags)] = covariance
    root = np.sqrt(np.maximum(np.fft.fft2(padded).real, 0.0))
    return np.fft.ifft2(root).real[np.ix_(lags, lags)]
