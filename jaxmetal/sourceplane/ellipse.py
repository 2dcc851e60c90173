"""Ellipses on the sky: their axes, areas of half maximum, and the matrices that they stand for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.instrument.forms import FWHM_PER_SIGMA


class Ellipse(NamedTuple):
    """Where a point-spread function falls to half its peak.

    Attributes:
        major: full width at half maximum along the major axis, arcsec; a number or an array.
        minor: the same along the minor axis.
        pa: position angle of the major axis, degrees East of North, 0 to 180.
    """

    major: np.ndarray | float
    minor: np.ndarray | float
    pa: np.ndarray | float

    @property
    def mean(self) -> np.ndarray | float:
        """sqrt(major minor), arcsec: the full width of a circle of the same area."""
        return np.sqrt(np.multiply(self.major, self.minor))

    @property
    def round(self) -> Ellipse:
        """The circle of the same area."""
        return Ellipse(self.mean, self.mean, np.zeros_like(self.pa))

    def scaled(self, factor: float) -> Ellipse:
        """In another unit of length, as kpc."""
        return Ellipse(self.major * factor, self.minor * factor, self.pa)

    def radius(self, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Radius of the circle as large as the ellipse of this shape through (dx, dy), in the unit of the offsets.

        sqrt((u / a)^2 + (v / b)^2) sqrt(a b), with u along the major axis and v along the minor one.
        """
        along, across = self.turned(dx, dy)
        return np.hypot(along / self.major, across / self.minor) * self.mean

    def turned(self, dx: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Offsets to the West and to the North, along the major and the minor axis."""
        pa = np.deg2rad(self.pa)
        return np.cos(pa) * dy - np.sin(pa) * dx, np.cos(pa) * dx + np.sin(pa) * dy

    @property
    def covariance(self) -> np.ndarray:
        """Of the Gaussian with these full widths, of (x, y), x West and y North, arcsec^2, shape (..., 2, 2)."""
        pa = np.deg2rad(self.pa)
        axis = np.stack([-np.sin(pa), np.cos(pa)], axis=-1)
        long, short = ((np.asarray(one) / FWHM_PER_SIGMA) ** 2 for one in (self.major, self.minor))
        along = axis[..., :, None] * axis[..., None, :]
        return np.asarray((long - short)[..., None, None] * along + short[..., None, None] * np.eye(2))


def from_covariance(covariance: np.ndarray) -> Ellipse:
    """The half-maximum ellipse of Gaussians.

    Args:
        covariance: of (x, y), x West and y North, arcsec^2, shape (..., 2, 2).
    """
    values, vectors = np.linalg.eigh(covariance)
    minor, major = (FWHM_PER_SIGMA * np.sqrt(np.maximum(values[..., k], 0.0)) for k in (0, 1))
    pa = np.rad2deg(np.arctan2(-vectors[..., 0, 1], vectors[..., 1, 1])) % 180.0
    return Ellipse(major, minor, pa)
