"""A map of stellar mass beside the line maps."""

from __future__ import annotations

import dataclasses

import numpy as np

from jaxmetal.edge.arrays import booleans
from jaxmetal.fluxmaps.spectra import Spectra


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StellarMass:
    """Surface density of stellar mass in the image; a lens leaves it alone, as surface brightness.

    Where line fluxes are of bins, the mass is taken to be of the same bins: the mean of their pixels that have one, and
    one error for each.

    Attributes:
        density: solar masses per kpc^2 of the source's plane, shape (ny, nx); NaN is missing.
        sigma: its errors.
        kpc2: area of a pixel at the source's distance, kpc^2, not demagnified.
    """

    density: np.ndarray
    sigma: np.ndarray
    kpc2: float

    def beside(self, spectra: Spectra) -> tuple[np.ndarray, np.ndarray]:
        """Density and errors on the pixels, in bins those of the bin."""
        if spectra.bins is None:
            return self.density, self.sigma
        known = np.isfinite(self.density) & np.isfinite(self.sigma)
        share = spectra.means(known.astype(float))
        share = np.where(share > 0.0, share, np.nan)
        density, sigma = (
            spectra.painted(spectra.means(np.where(known, one, 0.0)) / share) for one in (self.density, self.sigma)
        )
        return density, sigma

    def covered(self, mask: np.ndarray, spectra: Spectra) -> float:
        """Share of the pixels of a region, True in the mask, that have a mass, their own or that of their bin."""
        return float(self._known(mask, spectra).sum() / np.sum(mask)) if np.any(mask) else float("nan")

    def seen(self, mask: np.ndarray, spectra: Spectra) -> tuple[float, float]:
        """What a region, True in the mask, seems to hold before it is demagnified, and its error; solar masses.

        Of the pixels that are `covered`; NaN without any.
        """
        (density, sigma), there = self.beside(spectra), self._known(mask, spectra)
        if not there.any():
            return float("nan"), float("nan")
        labels = np.arange(there.size).reshape(there.shape) if spectra.bins is None else np.asarray(spectra.bins.labels)
        _, first, count = np.unique(labels[there], return_index=True, return_counts=True)
        values, errors = density[there][first], sigma[there][first]
        return float(count @ values) * self.kpc2, float(np.sqrt(count**2 @ errors**2)) * self.kpc2

    def _known(self, mask: np.ndarray, spectra: Spectra) -> np.ndarray:
        density, sigma = self.beside(spectra)
        return booleans("mask", mask, density.shape) & np.isfinite(density) & np.isfinite(sigma)
