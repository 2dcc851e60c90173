"""Deflection maps from maps of the lensing potential or of the convergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.lens.tabulated import Tabulated
from jaxmetal.numerics.grid import Grid

DEGREE = 5
"""Of the spline through a potential: its gradient is off by the fifth power of the pixel."""
SKEW = 1e-3
"""Cosine of the angle between rows and columns up to which pixels are rectangles."""


def from_potential(potential: Any, grid: Grid, **options: Any) -> Tabulated:
    """The deflection of a tabulated potential: the gradient of the spline of degree 5 through it.

    Args:
        potential: psi in arcsec^2, shape (ny, nx), at least 6 x 6, a number in every pixel.
        grid: where its pixels lie.
        **options: other fields of `Tabulated`: scale, interpolation.

    Raises:
        InputError: if a pixel holds no number, or there are too few.
    """
    # Not at the top: few need scipy's larger parts, and everybody would wait for them.
    from scipy.interpolate import RectBivariateSpline

    psi = _numbers("potential", potential, "arcsec2")
    spline = RectBivariateSpline(*(np.arange(n) for n in psi.shape), psi, kx=DEGREE, ky=DEGREE)
    rows, columns = (np.arange(n) for n in psi.shape)
    by_pixel = np.stack([spline(rows, columns, dy=1), spline(rows, columns, dx=1)])
    alpha = np.einsum("ij,iyx->jyx", np.linalg.inv(np.asarray(grid.matrix, float)), by_pixel)
    return Tabulated(alpha_x=alpha[0], alpha_y=alpha[1], grid=grid, **options)


def from_convergence(kappa: Any, grid: Grid, **options: Any) -> Tabulated:
    """The deflection of a tabulated convergence, constant in each pixel and zero beyond the map.

    alpha = 1 / pi integral kappa (theta - theta') / |theta - theta'|^2, a linear convolution (by FFT, padded to twice
    the map) with the exact deflection of one pixel. Mass beyond the map is missing: the shear that it makes inside is
    not there.

    Args:
        kappa: shape (ny, nx), a number in every pixel.
        grid: where its pixels lie.
        **options: other fields of `Tabulated`: scale, interpolation.

    Raises:
        InputError: if a pixel holds no number, or pixels are no rectangles.
    """
    from scipy.signal import fftconvolve

    values = _numbers("convergence", kappa, "")
    steps = np.asarray(grid.steps, float)
    axes = np.asarray(grid.matrix, float) / steps
    if abs(axes[:, 0] @ axes[:, 1]) > SKEW:
        raise InputError(
            "The convergence map must have rows at right angles to its columns, but is skewed; resample it."
        )
    ny, nx = values.shape
    x, y = np.meshgrid(np.arange(-nx, nx) + 0.5, np.arange(-ny, ny) + 0.5)
    x, y = steps[0] * x, steps[1] * y  # corners of the pixels around the one in the middle
    kernels = [_pixel(corners) / np.pi for corners in (_integral(x, y), _integral(y, x))]
    along = np.stack(
        [fftconvolve(values, kernel, mode="full")[ny - 1 : -ny + 1, nx - 1 : -nx + 1] for kernel in kernels]
    )
    alpha = np.einsum("ji,iyx->jyx", axes, along)
    return Tabulated(alpha_x=alpha[0], alpha_y=alpha[1], grid=grid, **options)


def _integral(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The integral of x / (x^2 + y^2) over x and y, up to functions of one of them."""
    return 0.5 * y * np.log(x**2 + y**2) + x * np.arctan(y / x)


def _pixel(corners: np.ndarray) -> np.ndarray:
    """The integral over each pixel from that to its corners."""
    return np.diff(np.diff(corners, axis=0), axis=1)


def _numbers(name: str, given: Any, unit: str) -> np.ndarray:
    values = floats(name, given, unit)
    missing = int(np.sum(~np.isfinite(values)))
    if missing:
        raise InputError(
            f"The {name} map must hold a number in every pixel, but {missing} of {values.size} hold none; fill it."
        )
    if values.ndim != 2 or min(values.shape) <= DEGREE:
        raise InputError(
            f"The {name} map must have at least 6 x 6 pixels, but has shape {values.shape}; use a larger one."
        )
    return values
