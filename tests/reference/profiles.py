"""Light and PSFs of the reference, in pixels: x to the right (west), y up (north), pa from north through east."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gamma, gammaincinv, gammaln


@dataclass(frozen=True)
class Sersic:
    """Elliptical Sersic light (Graham & Driver 2005); `r_eff` holds half of `flux`, along the major axis."""

    n: float
    r_eff: float
    q: float = 1.0
    pa: float = 0.0
    x0: float = 0.0
    y0: float = 0.0
    flux: float = 1.0

    def plane(self, x, y):
        """Coordinates (u, v) of a sky position along the major axis, and deprojected along the minor one."""
        angle = np.deg2rad(self.pa)
        dx, dy = x - self.x0, y - self.y0
        major = -np.sin(angle) * dx + np.cos(angle) * dy
        minor = -np.cos(angle) * dx - np.sin(angle) * dy
        return major, minor / self.q

    def radius(self, x, y):
        """Deprojected radius R of a sky position."""
        return np.hypot(*self.plane(x, y))

    def brightness(self, x, y):
        """Flux per square pixel: I_e exp(-b ((R/R_e)^(1/n) - 1)) with gamma(2n, b) = Gamma(2n)/2."""
        b = gammaincinv(2 * self.n, 0.5)
        total = 2 * np.pi * self.n * self.r_eff**2 * self.q * b ** (-2 * self.n) * gamma(2 * self.n)
        return self.flux / total * np.exp(-b * (self.radius(x, y) / self.r_eff) ** (1 / self.n))


@dataclass(frozen=True)
class Gaussian:
    """Circular Gaussian PSF."""

    fwhm: float

    def mixture(self):
        """Weights and sigmas of the Gaussians that the PSF is made of: one."""
        return np.ones(1), np.array([self.fwhm / np.sqrt(8 * np.log(2))])

    @property
    def reach(self):
        """Distance beyond which nothing is blurred into a pixel: 9 sigma."""
        return 9 * self.fwhm / np.sqrt(8 * np.log(2))


@dataclass(frozen=True)
class Moffat:
    """Circular Moffat PSF, K(r) = (beta - 1)/(pi a^2) (1 + r^2/a^2)^-beta."""

    fwhm: float
    beta: float

    @property
    def scale(self):
        """Radius a for which K(fwhm/2) = K(0)/2."""
        return self.fwhm / 2 / np.sqrt(2 ** (1 / self.beta) - 1)

    def __call__(self, r):
        """K(r), flux per square pixel."""
        return (self.beta - 1) / (np.pi * self.scale**2) * (1 + (r / self.scale) ** 2) ** -self.beta

    def mixture(self):
        """Weights and sigmas of the exact mixture: t ~ Gamma(beta - 1), sigma^2 = a^2/(2 t).

        The trapezoid rule in ln t converges exponentially: step 0.25 leaves < 1e-10 of K(r) for beta < 5. The widest
        sigma, 1.5e4 a, holds K(r) as far out as any pixel looks.
        """
        step = 0.25
        log_t = np.arange(-20, np.log(60.0), step)
        weight = step * np.exp((self.beta - 1) * log_t - np.exp(log_t) - gammaln(self.beta - 1))
        return weight, self.scale / np.sqrt(2 * np.exp(log_t))

    reach = 3000.0  # the wings are a power law: every source pixel counts, and far cells are long and cheap
