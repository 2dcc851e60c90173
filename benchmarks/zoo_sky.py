"""What the zoo looks at: discs and clumps in numpy, blurred and put into pixels by the tests' own renderer.

Nothing of the package under test is used. Lengths are arcsec, x to the West, y to the North, position angles degrees
East of North; the renderer (`tests/reference/operator.py`) works in pixels from the centre of the frame.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from reference import operator, profiles

Plane = Callable[[np.ndarray, np.ndarray], np.ndarray]
ZERO = 8.5
"""Metallicity to which exponents are referred, so that 10^Z stays near one."""


@dataclass(frozen=True)
class Halo:
    """A Gaussian core with a wider Gaussian around it; the kernel that is given as a file."""

    fwhm: float
    share: float = 0.2
    wider: float = 2.5

    def mixture(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and sigmas, pixels."""
        sigma = self.fwhm / np.sqrt(8 * np.log(2))
        return np.array([1 - self.share, self.share]), sigma * np.array([1.0, self.wider])

    @property
    def reach(self) -> float:
        """Distance beyond which nothing is blurred into a pixel."""
        return 9 * self.wider * self.fwhm / np.sqrt(8 * np.log(2))

    def table(self, oversampling: int) -> np.ndarray:
        """The optical PSF on cells of 1 / oversampling pixel, normalised."""
        half = int(np.ceil(4 * self.wider * self.fwhm / 2.35 * oversampling))
        r2 = np.add.outer(np.arange(-half, half + 1) ** 2, np.arange(-half, half + 1) ** 2) / oversampling**2
        values = sum(w / s**2 * np.exp(-0.5 * r2 / s**2) for w, s in zip(*self.mixture(), strict=True))
        return np.asarray(values / values.sum())


PSFS = {"Gaussian": profiles.Gaussian, "Moffat": profiles.Moffat, "Halo": Halo}


@dataclass(frozen=True)
class Part:
    """One source.

    Attributes:
        light: in arcsec.
        metallicity: that it carries, a function of the disc's plane.
    """

    light: profiles.Sersic
    metallicity: Plane

    def moments(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Light per arcsec^2, and light times 10^(Z - ZERO)."""
        light = self.light.brightness(x, y)
        return np.stack([light, light * 10 ** (self.metallicity(*self.light.plane(x, y)) - ZERO)])


@dataclass(frozen=True)
class Frame:
    """Pixels and their blur.

    Attributes:
        shape: (ny, nx).
        pixel: arcsec.
        psf: of the renderer, widths in pixels.
    """

    shape: tuple[int, int]
    pixel: float
    psf: Any

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Sky positions of the pixels."""
        ny, nx = self.shape
        x, y = np.meshgrid((np.arange(nx) - (nx - 1) / 2) * self.pixel, (np.arange(ny) - (ny - 1) / 2) * self.pixel)
        return x, y


@dataclass(frozen=True)
class Seen:
    """Noise-free light and its moment, per pixel; `labels` gathers pixels into bins."""

    light: np.ndarray
    moment: np.ndarray
    labels: np.ndarray | None = field(default=None)

    @property
    def metallicity(self) -> np.ndarray:
        """The blend, in bins the same in all pixels of each."""
        light, moment = self.light, self.moment
        if self.labels is not None:
            index = np.where(self.labels < 0, self.labels.max() + 1, self.labels)
            light, moment = (np.bincount(index.ravel(), a.ravel())[index] for a in (light, moment))
        return ZERO + np.log10(moment / light)


def render(frame: Frame, parts: list[Part], deflection: Any = None, labels: np.ndarray | None = None) -> Seen:
    """Light and metallicity in pixels.

    Args:
        frame: pixels and blur.
        parts: the sources, blended by their light.
        deflection: function of sky positions, arcsec, or None without a lens.
        labels: bins.
    """
    total = np.zeros((2, *frame.shape))
    for part in parts:

        def fields(x: np.ndarray, y: np.ndarray, part: Part = part) -> np.ndarray:
            x, y = np.asarray(x) * frame.pixel, np.asarray(y) * frame.pixel
            if deflection is not None:
                x, y = np.broadcast_arrays(x, y)
                ax, ay = deflection(x, y)
                x, y = x - ax, y - ay
            return part.moments(x, y) * frame.pixel**2

        # Behind a lens there is no one cusp to refine; exponential discs need none at this density.
        at = part.light
        cusp = (at.x0 / frame.pixel, at.y0 / frame.pixel) if deflection is None else (0.0, 0.0)
        total += operator.observe(fields, frame.shape, frame.psf, cusp=cusp, q=at.q, samples=11)
    return Seen(total[0], total[1], labels)
