"""The named grid of cases, each a light, a slope and an instrument, with distances in pixels."""

from dataclasses import dataclass

import numpy as np

from .operator import observe
from .profiles import Gaussian, Moffat, Sersic


@dataclass(frozen=True)
class Case:
    """A disc of Sersic light that carries P = central + slope R, seen through a PSF on a frame of (ny, nx) pixels.

    `slope` is in dex per R_e; positions are from the centre of the frame, (nx - 1)/2 and (ny - 1)/2 in pixel indices.
    """

    name: str
    shape: tuple
    light: Sersic
    psf: Gaussian | Moffat
    slope: float
    central: float = 8.5


CASES = (
    Case("exponential_sharp", (31, 37), Sersic(1, 2, 1.0, 0, 0.0, 0.0), Gaussian(1.5), -0.1),
    Case("exponential_thin", (40, 53), Sersic(1, 4, 0.3, 35, 0.3, -0.2), Gaussian(3), -0.3),
    Case("exponential_large_sharp", (61, 74), Sersic(1, 15, 0.3, 120, 0.5, 0.5), Gaussian(1.5), -0.2),
    Case("exponential_drowned", (61, 74), Sersic(1, 15, 1.0, 0, -1.3, 2.1), Gaussian(30), -0.6),
    Case("exponential_inverted", (34, 29), Sersic(1, 6, 0.6, -50, 0.13, 0.41), Gaussian(5), 0.2),
    Case("n2.5_compact", (33, 28), Sersic(2.5, 2, 1.0, 0, 0.25, -0.4), Gaussian(1.5), -0.3),
    Case("n2.5_thin", (44, 39), Sersic(2.5, 5, 0.3, -20, -0.35, 0.1), Gaussian(4), -0.6),
    Case("n2.5_broad", (53, 64), Sersic(2.5, 10, 0.6, 75, 0.4, 0.7), Gaussian(15), -0.2),
    Case("n4_compact_thin", (36, 31), Sersic(4, 2, 0.3, 60, 0.5, 0.0), Gaussian(1.5), -0.6),
    Case("n4_on_centre", (41, 47), Sersic(4, 5, 1.0, 0, 0.0, 0.0), Gaussian(1.5), -0.3),
    Case("n4_on_corner", (42, 48), Sersic(4, 5, 1.0, 0, 0.0, 0.0), Gaussian(3), -0.3),
    Case("n4_large_thin", (61, 74), Sersic(4, 15, 0.3, 15, 0.2, -0.3), Gaussian(6), -0.6),
    Case("n4_large_drowned", (61, 74), Sersic(4, 15, 0.3, 100, 3.2, -1.4), Gaussian(30), -0.6),
    Case("n4_point_drowned", (47, 60), Sersic(4, 2, 1.0, 0, 0.37, 0.21), Gaussian(30), -0.1),
    Case("exponential_moffat", (31, 38), Sersic(1, 3, 0.5, 40, 0.2, 0.3), Moffat(3, 2.8), -0.3),
    Case("n2.5_moffat", (40, 34), Sersic(2.5, 6, 1.0, 0, -0.1, 0.45), Moffat(5.15, 2.8), -0.4),
    Case("n4_moffat_thin", (30, 33), Sersic(4, 3, 0.3, -65, 0.5, 0.5), Moffat(2, 4.765), -0.3),
)


def solve(case, samples=21):
    """Flux per pixel and the light-weighted maps of P, mixed as "dex" (10^P) and "linear": three (ny, nx) arrays."""

    def fields(x, y):
        light = case.light.brightness(x, y)
        offset = case.slope * case.light.radius(x, y) / case.light.r_eff
        return np.stack([light, light * 10**offset, light * offset])

    cusp = (case.light.x0, case.light.y0)
    light, dex, linear = observe(fields, case.shape, case.psf, cusp=cusp, q=case.light.q, samples=samples)
    return light, case.central + np.log10(dex / light), case.central + linear / light


def compared(case, light, prediction):
    """Pixels where maps are held to account: light above 1e-4 of its peak, P within 2 dex of the centre."""
    return (light > 1e-4 * light.max()) & (np.abs(prediction - case.central) < 2)
