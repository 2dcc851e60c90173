"""Linear convolution by FFT."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from scipy.fft import next_fast_len


def convolve(field: jax.Array, kernel: jax.Array) -> jax.Array:
    """Linear (never circular) convolution; the result has the field's shape and the kernel's centre stays in place.

    Args:
        field: shape (..., ny, nx).
        kernel: shape (ky, kx). Along an even side the centre lies between cells, and so do the results: half a cell
            before those of the field.
    """
    ny, nx = field.shape[-2:]
    ky, kx = kernel.shape
    shape = tuple(next_fast_len(n + k - 1, real=True) for n, k in zip((ny, nx), (ky, kx), strict=True))
    product = jnp.fft.rfft2(field, shape) * jnp.fft.rfft2(kernel, shape)
    top, left = (ky - 1) // 2, (kx - 1) // 2
    return jnp.fft.irfft2(product, shape)[..., top : top + ny, left : left + nx]


def block_sum(field: jax.Array, factors: tuple[int, int]) -> jax.Array:
    """Sums blocks of that many rows and columns of the last two axes."""
    *lead, ny, nx = field.shape
    along_y, along_x = factors
    return field.reshape(*lead, ny // along_y, along_y, nx // along_x, along_x).sum(axis=(-3, -1))
