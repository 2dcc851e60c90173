"""The point-spread function of an image as a function on the sky."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import convolve1d, map_coordinates

from jaxmetal.instrument.forms import Kernel, Mixture
from jaxmetal.instrument.psf import PSF
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation.psf_form import psf_form

PARTS = 5
"""Parts of a cell of a kernel along each axis, in which it is averaged over the pixel; odd: its middle is one."""
FINE = 4
"""Parts of these along each axis, to measure the area above half the peak."""

Blur = Callable[[np.ndarray, np.ndarray], np.ndarray]


def beam(psf: PSF, grid: Grid) -> tuple[float, Blur]:
    """Full width at half maximum, sqrt(major minor), pixel included, and the density at offsets (dx, dy), all arcsec.

    A PSF without the pixel is widened by it: Gaussians by its second moment, kernels by the pixel itself.
    """
    formed = psf_form(psf)
    return FORMS[formed.route](formed, grid)


def _of_gaussians(form: Any, grid: Grid) -> tuple[float, Blur]:
    pixel = 0.0 if form.includes_pixel else float(np.mean(np.asarray(grid.steps, float) ** 2)) / 12.0
    weights, variances = np.asarray(form.weights, float), np.asarray(form.variances, float) + pixel
    heights = weights / (2.0 * np.pi * variances)

    def density(dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        squared = dx**2 + dy**2
        return sum((h * np.exp(-0.5 * squared / v) for h, v in zip(heights, variances, strict=True)), np.zeros(1))

    return Mixture(weights=weights, variances=variances, includes_pixel=True).fwhm, density


def _of_kernel(form: Any, grid: Grid) -> tuple[float, Blur]:
    values, step = _finer(np.asarray(form.values, float)), float(form.step) / PARTS
    if not form.includes_pixel:
        for axis, side in enumerate(np.asarray(grid.steps)[::-1]):
            values = convolve1d(values, _box(max(1, round(float(side) / step))), axis=axis, mode="constant")
    matrix = np.asarray(grid.matrix, float)
    turn = np.linalg.inv(matrix / np.asarray(grid.steps, float))
    middle = [0.5 * (n - 1) for n in values.shape]

    def density(dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        along = [turn[k, 0] * dx + turn[k, 1] * dy for k in (0, 1)]
        places = [along[1] / step + middle[0], along[0] / step + middle[1]]
        return map_coordinates(values, places, order=1, mode="constant")

    return _half_width(values) * step, density


def _finer(values: np.ndarray) -> np.ndarray:
    """A kernel on cells `PARTS` times as small, about the same middle, by cubic splines."""
    places = [(np.arange(n * PARTS) - 0.5 * (n * PARTS - 1)) / PARTS + 0.5 * (n - 1) for n in values.shape]
    return map_coordinates(values, np.meshgrid(*places, indexing="ij"), order=3, mode="constant")


def _box(cells: int) -> np.ndarray:
    """The mean over so many cells about the middle; the outermost count half where their number is even."""
    box = np.ones(cells + 1 - cells % 2)
    if cells % 2 == 0:
        box[[0, -1]] = 0.5
    return box / cells


def _half_width(values: np.ndarray) -> float:
    """Diameter of the circle as large as what lies above half the peak, in cells: sqrt(major minor) of an ellipse."""
    rows, columns = np.nonzero(values >= 0.5 * values.max())
    part = (np.arange(FINE) + 0.5) / FINE
    lines = [(np.arange(k.min() - 1, k.max() + 1)[:, None] + part).ravel() for k in (rows, columns)]
    # Cubic: straight lines between few cells across would make the peak narrower than it is.
    between = map_coordinates(values, np.meshgrid(*lines, indexing="ij"), order=3, mode="constant")
    return float(2.0 * np.sqrt((between >= 0.5 * values.max()).sum() / np.pi) / FINE)


FORMS = {Mixture.route: _of_gaussians, Kernel.route: _of_kernel}
"""By the route on which a PSF is applied."""
