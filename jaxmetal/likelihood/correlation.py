"""How alike the noise of two pixels is, as a function of the lag between them.

A correlation is anything called with lags in pixels, `correlation(rows, columns)`, that returns 1 at lag 0 and is
positive semi-definite: one of these nodes, or `jax.tree_util.Partial` around a function.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.tree import node, within

# The most negative power, relative to the largest, that is taken for round-off.
_NEGATIVE_POWER = 1e-6


@node
class GaussianCorrelation:
    """Correlation exp(-4 ln 2 d^2 / fwhm^2) at a distance of d pixels.

    Noise smoothed by a Gaussian kernel of full width f has a correlation of full width sqrt(2) f.

    Attributes:
        fwhm: full width at half maximum of the correlation (not of the smoothing kernel), pixels, > 0.
    """

    fwhm: Any = within("(0, inf)")

    def __call__(self, rows: jax.Array, columns: jax.Array) -> jax.Array:
        """Correlation at these lags, pixels."""
        return jnp.exp(-4.0 * jnp.log(2.0) * (rows**2 + columns**2) / self.fwhm**2)


@node
class KernelCorrelation:
    """A tabulated stationary correlation; 0 beyond the table. Made by `from_array` or `of_smoothing`.

    Attributes:
        values: correlation at lags of -h..h rows and -w..w columns, shape (2h + 1, 2w + 1), 1 in the middle.
    """

    values: Any

    def __call__(self, rows: jax.Array, columns: jax.Array) -> jax.Array:
        """Correlation at the nearest whole-pixel lags."""
        values = jnp.asarray(self.values)
        middle = [n // 2 for n in values.shape]
        index = [jnp.round(lag).astype(int) + half for lag, half in zip((rows, columns), middle, strict=True)]
        inside = [(i >= 0) & (i < n) for i, n in zip(index, values.shape, strict=True)]
        found = values[tuple(jnp.clip(i, 0, n - 1) for i, n in zip(index, values.shape, strict=True))]
        return jnp.where(inside[0] & inside[1], found, 0.0)

    @classmethod
    def from_array(cls, covariance: np.ndarray) -> KernelCorrelation:
        """A stationary covariance, zero lag in the middle, normalised to a correlation.

        Raises:
            InputError: unless the array is 2-D, odd-sized, point-symmetric and positive semi-definite. Cutting a
                covariance off abruptly makes it indefinite; `of_smoothing` never does.
        """
        values = np.asarray(covariance, dtype=float)
        if values.ndim != 2 or not all(n % 2 for n in values.shape) or not np.all(np.isfinite(values)):
            raise InputError(
                f"covariance: expected a finite 2-D array with odd sides, found shape {values.shape}; "
                "give it with zero lag in its middle pixel."
            )
        middle = values[values.shape[0] // 2, values.shape[1] // 2]
        if middle <= 0 or not np.allclose(values, values[::-1, ::-1], atol=1e-8 * abs(middle)):
            raise InputError(
                f"covariance: expected one that is equal at opposite lags, with a positive middle, found {middle:g} in "
                "the middle or values that differ at opposite lags; centre it on lag zero."
            )
        values = values / middle
        power = np.fft.fft2(np.fft.ifftshift(np.pad(values, [(2 * n, 2 * n) for n in values.shape]))).real
        if power.min() < -_NEGATIVE_POWER * power.max():
            raise InputError(
                f"covariance: expected a positive semi-definite one, found a power of {power.min() / power.max():.2g} "
                "relative to its peak; taper it to zero or build it with KernelCorrelation.of_smoothing."
            )
        return cls(values=values)

    @classmethod
    def of_smoothing(cls, kernel: np.ndarray) -> KernelCorrelation:
        """Correlation of white noise that was smoothed by `kernel`: the autocorrelation of the kernel.

        Raises:
            InputError: unless the kernel is a finite 2-D array with a value other than zero.
        """
        kernel = np.asarray(kernel, dtype=float)
        if kernel.ndim != 2 or not np.all(np.isfinite(kernel)) or not np.any(kernel):
            raise InputError(
                f"kernel: expected a finite 2-D array that is not all zero, found shape {kernel.shape} "
                "with other content; give the smoothing kernel on the pixels of the data."
            )
        shape = [2 * n - 1 for n in kernel.shape]
        power = np.abs(np.fft.fft2(kernel, s=shape)) ** 2
        return cls.from_array(np.fft.fftshift(np.fft.ifft2(power).real))
