"""Pictures without the details that a coarser grid of samples would take for something else."""

from __future__ import annotations

import numpy as np
from scipy.special import erfc

REACH = 8
"""Steps of the samples over which a picture is smoothed on either side; the weights are 1e-6 there."""


def refined(values: np.ndarray, factor: int) -> np.ndarray:
    """The same bilinear surface on a grid `factor` times as fine.

    Args:
        values: shape (ny, nx).
        factor: whole number; the first and last nodes stay.

    Returns:
        Shape ((ny - 1) factor + 1, (nx - 1) factor + 1).
    """
    for axis in (0, 1):
        n = values.shape[axis]
        place = np.arange((n - 1) * factor + 1) / factor
        first = np.minimum(place.astype(int), n - 2)
        part = np.expand_dims(place - first, 1 - axis)
        values = values.take(first, axis) * (1.0 - part) + values.take(first + 1, axis) * part
    return values


def smooth_spline(values: np.ndarray, steps: tuple[float, float]) -> np.ndarray:
    """Coefficients of the cubic spline that is a bilinear surface without what samples at a step cannot tell.

    Along each axis the transform is multiplied by erfc((|k| - 1 / (2 step)) / (sqrt(2) s)) / 2 with s = 0.088 / step:
    1 for all that a response two samples wide lets pass, so that low moments are kept, and 0 for what samples would
    take for that. On nodes at a distance a, surface and spline are sinc^2(a k) and sinc^4(a k) times what is on them.

    Args:
        values: on the nodes of the surface, shape (ny, nx), zero beyond.
        steps: of the samples along rows and columns (axes 0 and 1), in nodes; 2 or more.
    """
    from scipy.ndimage import convolve1d  # slow to import, and only pictures need it

    for axis, step in enumerate(steps):
        reach, k = int(REACH * step), np.linspace(0.0, 0.5, 512)
        passed = 0.5 * erfc((k - 0.5 / step) * step / (np.sqrt(2.0) * 0.088)) / np.sinc(k) ** 2
        passed[[0, -1]] *= 0.5  # trapezoid
        weights = np.cos(2.0 * np.pi * np.outer(np.arange(-reach, reach + 1), k)) @ passed
        values = convolve1d(values, weights / weights.sum(), axis=axis, mode="constant")
    return values
