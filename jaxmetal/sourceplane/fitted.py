"""The Gaussian that fits weighted points best."""

from __future__ import annotations

import numpy as np

STEPS = 40
"""At most."""
SETTLED = 1e-4
"""Relative change of a variance at which it is found."""


@np.errstate(over="ignore", invalid="ignore")
def fitted_covariance(at: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Covariances of the Gaussians that fit a density on the plane in the sense of least squares.

    The density is given as weights of points, its integral over the area around each. Amplitude, centre m and
    covariance C of the best Gaussian g solve m = <beta>, C = 2 <(beta - m)(beta - m)^T>, where <> is the mean weighted
    by density times g (Bernstein & Jarvis 2002, AJ 123, 583, sect. 3.1). In C^-1 each iteration does half of what is
    left for a Gaussian, so that twice its step is taken.

    Args:
        at: points, shape (n, points, 2).
        weight: of each, >= 0, shape (n, points).

    Returns:
        Shape (n, 2, 2); NaN without weight, or of points on a line.
    """
    total = weight.sum(axis=1)
    known = total > 0.0
    share, x, y = weight[known] / total[known, None], at[known, :, 0], at[known, :, 1]
    # Numbers of order 1, whatever the unit.
    middle = _middle(share, x, y)
    size = np.sqrt(np.maximum(np.trace(_moments(share, x, y, middle), axis1=1, axis2=2), 1e-300))[:, None]
    weight, x, y = share, (x - middle[0]) / size, (y - middle[1]) / size
    precision = np.linalg.pinv(_moments(weight, x, y, _middle(weight, x, y)), hermitian=True)
    middle = _middle(weight, x, y)
    for _ in range(STEPS):
        dx, dy = x - middle[0], y - middle[1]
        p = precision[:, :, :, None]
        # Points that have come to lie on a line have no finite precision across it: they weigh nothing, and end as NaN.
        power = -0.5 * (p[:, 0, 0] * dx**2 + p[:, 1, 1] * dy**2) - p[:, 0, 1] * dx * dy
        share = weight * np.exp(np.minimum(np.nan_to_num(power, nan=-np.inf), 0.0))
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        middle = _middle(share, x, y)
        halved = np.linalg.pinv(2.0 * _moments(share, x, y, middle), hermitian=True)
        twice = 2.0 * halved - precision
        positive = np.linalg.eigvalsh(twice)[:, 0] > 0.0
        new = np.where(positive[:, None, None], twice, halved)
        moves = np.abs(new - precision).max(axis=(1, 2)) > SETTLED * np.abs(new).max(axis=(1, 2))
        precision = new
        if not moves.any():
            break
    found = np.full((len(total), 2, 2), np.nan)
    found[known] = np.linalg.pinv(precision, hermitian=True) * size[:, :, None] ** 2
    found[~(np.linalg.eigvalsh(np.nan_to_num(found))[:, 0] > 0.0)] = np.nan
    return found


def _middle(share: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means, each of shape (n, 1)."""
    return (share * x).sum(axis=1, keepdims=True), (share * y).sum(axis=1, keepdims=True)


def _moments(share: np.ndarray, x: np.ndarray, y: np.ndarray, middle: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    dx, dy = x - middle[0], y - middle[1]
    xx, xy, yy = ((share * one).sum(axis=1) for one in (dx**2, dx * dy, dy**2))
    return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=1)
