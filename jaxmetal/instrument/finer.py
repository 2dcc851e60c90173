"""A kernel that is known once per pixel, on finer cells."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

from jaxmetal.instrument.forms import Kernel

CELLS = 3
"""Cells of the finer kernel along one that is given."""

WIDTHS = np.geomspace(0.35, 12.0, 24)
"""Standard deviations of the Gaussians, in given cells."""


def refined(kernel: Kernel) -> tuple[Kernel, float]:
    """The kernel on a third of its cells, between which no smooth interpolation would know a narrow peak.

    Concentric Gaussians of many widths, none of them negative, are fitted to the cells, and evaluated between them;
    what they leave is interpolated by a spline of degree 5.

    Args:
        kernel: odd, centred; its cells are as large as a pixel.

    Returns:
        A kernel over the same area, of sum 1, and the largest cell that the Gaussians leave, over the peak.
    """
    # Slow to import, and seldom needed.
    from scipy.ndimage import map_coordinates
    from scipy.optimize import nnls

    values = np.asarray(kernel.values, float)
    parts = _gaussians([np.arange(n) - n // 2 for n in values.shape], kernel.includes_pixel)
    # More steps than unknowns: neighbouring Gaussians are much alike.
    amounts, _ = nnls(parts.reshape(len(parts), -1).T, values.ravel(), maxiter=10_000)
    left = values - np.tensordot(amounts, parts, axes=1)
    offsets = [(np.arange(CELLS * n) - CELLS * n // 2) / CELLS for n in values.shape]
    places = np.meshgrid(*(o + n // 2 for o, n in zip(offsets, values.shape, strict=True)), indexing="ij")
    between = map_coordinates(left, places, order=5, mode="constant")
    fine = np.tensordot(amounts, _gaussians(offsets, kernel.includes_pixel), axes=1) + between
    found = Kernel(values=fine / fine.sum(), step=kernel.step / CELLS, includes_pixel=kernel.includes_pixel)
    return found, float(np.abs(left).max() / values.max())


def _gaussians(offsets: list[np.ndarray], includes_pixel: bool) -> np.ndarray:
    """Gaussians at offsets in cells from the centre: summed over a cell around each where they include the pixel."""

    def line(offset: np.ndarray) -> np.ndarray:
        if includes_pixel:
            edges = (offset[None, :, None] + np.array([-0.5, 0.5])) / (np.sqrt(2.0) * WIDTHS[:, None, None])
            return 0.5 * np.diff(erf(edges), axis=-1)[..., 0]
        return np.exp(-0.5 * (offset / WIDTHS[:, None]) ** 2)

    along_y, along_x = (line(offset) for offset in offsets)
    return along_y[:, :, None] * along_x[:, None, :]
