"""Use case 1 of Metha et al. 2024 (RASTI, rzae010, section 4): an exponential disc seen through a blur.

Numbers and arrays only: both codes of the speed comparison read their data from here, and neither is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import erf

PIXELS = 121
PIXEL_SCALE = 0.066
FWHM = 1.0
SIGMA_PER_FWHM = 1.0 / 2.3548200450309493
RADIUS_PER_SCALE = 1.6783469900166605
"""Half-light radius of an exponential disc over its scale length."""
C1, C2_OVER_I = 0.0077, 0.0123
"""Variance of the map, c1 + c2 / I with I the blurred light; c2 over that I at R_e on the major axis. It is 0.02 dex^2
there and 0.0132 to 0.0140 at the centre: 0.01, as the paper has it, with the I of the disc before it is blurred."""
BACKGROUND_RMS, EXPOSURE = 0.005, 500.0
"""Of the image in the published tutorial: variance = rms^2 + I / exposure."""


@dataclass(frozen=True)
class Galaxy:
    """The truth: lengths in arcsec (x West, y North), pa in degrees East of North, slope per major-axis arcsec."""

    flux: float = 190.0
    r_eff: float = 1.0
    x0: float = 0.0
    y0: float = 0.0
    q: float = 1.0
    pa: float = 0.0
    central: float = 8.0
    slope: float = -0.2
    seed: int = 1

    @property
    def ellipticity(self) -> tuple[float, float]:
        """(1 - q)/(1 + q) times (cos 2 pa, sin 2 pa)."""
        e, angle = (1.0 - self.q) / (1.0 + self.q), np.deg2rad(2.0 * self.pa)
        return e * np.cos(angle), e * np.sin(angle)


GALAXIES = {
    "map": (Galaxy(), Galaxy(r_eff=0.9, central=8.3, slope=-0.12, seed=2)),
    "joint": (
        Galaxy(q=0.7, pa=40.0, x0=0.1, y0=-0.05),
        Galaxy(q=0.6, pa=75.0, x0=-0.08, y0=0.12, r_eff=0.9, central=8.3, slope=-0.12, seed=2),
    ),
}
"""Two galaxies per problem: the one of the comparison, and another of the same shape. "map": the published one, its
light known; "joint": the same one inclined (at q = 1 a free position angle has no meaning), all free but the Sersic
index."""


@dataclass(frozen=True)
class Data:
    """What is fitted: a map in dex and an image in flux per pixel, with their standard deviations."""

    metallicity: np.ndarray
    metallicity_sigma: np.ndarray
    image: np.ndarray
    image_sigma: np.ndarray


def converged(galaxy: Galaxy, mixing: str, samples: int = 15, margin: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Metallicity map and image by brute force: midpoints of samples x samples cells per pixel, blurred by sums of erf.

    Args:
        galaxy: the truth.
        mixing: "dex" or "linear".
        samples: cells per pixel and axis.
        margin: pixels by which the scene is wider than the frame.
    """
    wide = PIXELS + 2 * margin
    position = (np.arange(wide * samples) + 0.5) / samples - margin - 0.5
    x, y = np.meshgrid(*[(position - (PIXELS - 1) / 2) * PIXEL_SCALE] * 2)
    pa = np.deg2rad(galaxy.pa)
    along = -np.sin(pa) * (x - galaxy.x0) + np.cos(pa) * (y - galaxy.y0)
    across = -np.cos(pa) * (x - galaxy.x0) - np.sin(pa) * (y - galaxy.y0)
    radius, scale = np.hypot(along, across / galaxy.q), galaxy.r_eff / RADIUS_PER_SCALE
    light = galaxy.flux / (2 * np.pi * scale**2 * galaxy.q) * np.exp(-radius / scale) * (PIXEL_SCALE / samples) ** 2
    value = galaxy.central + galaxy.slope * radius
    width = np.sqrt(2.0) * FWHM * SIGMA_PER_FWHM / PIXEL_SCALE
    offset = np.arange(PIXELS)[:, None] - position[None, :]
    response = 0.5 * (erf((offset + 0.5) / width) - erf((offset - 0.5) / width))
    image = response @ light @ response.T
    if mixing == "linear":
        return response @ (light * value) @ response.T / image, image
    blend = response @ (light * 10.0 ** (value - galaxy.central)) @ response.T
    return galaxy.central + np.log10(blend / image), image


def observe(galaxy: Galaxy, mixing: str) -> Data:
    """Noisy data of a galaxy."""
    metallicity, image = converged(galaxy, mixing, samples=9, margin=30)
    centre = (PIXELS - 1) / 2
    column, row = (
        round(v / PIXEL_SCALE + centre)
        for v in (
            galaxy.x0 - galaxy.r_eff * np.sin(np.deg2rad(galaxy.pa)),
            galaxy.y0 + galaxy.r_eff * np.cos(np.deg2rad(galaxy.pa)),
        )
    )
    sigma = np.sqrt(C1 + C2_OVER_I * image[row, column] / image)
    image_sigma = np.sqrt(BACKGROUND_RMS**2 + image / EXPOSURE)
    random = np.random.default_rng(galaxy.seed)
    return Data(
        metallicity=metallicity + sigma * random.standard_normal(image.shape),
        metallicity_sigma=sigma,
        image=image + image_sigma * random.standard_normal(image.shape),
        image_sigma=image_sigma,
    )


def save(path: Path, data: Data) -> None:
    """Writes data as .npz."""
    np.savez(path, **vars(data))


def load(path: Path) -> Data:
    """Reads data written by `save`."""
    with np.load(path) as stored:
        return Data(**stored)
