"""From the intrinsic Hb of spaxels and regions to their star formation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.regions import magnification
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.spaxel import star_formation_rate, surface_density, total

ENDS = {"_low": 0.16, "": 0.5, "_high": 0.84}
"""Suffix of a column -> quantile."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Magnification:
    """By how much a lens magnifies.

    Attributes:
        factor: one number, or a map (ny, nx) of either parity.
        relative: its error over itself, or two: towards smaller and larger magnification, the first below 1.
    """

    factor: Any = 1.0
    relative: float | tuple[float, float] = 0.0

    def of_spectra(self, spectra: Spectra) -> np.ndarray:
        """Of each spectrum: in a bin, of light that is even over it; NaN without a line.

        Raises:
            InputError: if a map is 0 or no number in a spaxel with a line.
        """
        if np.ndim(self.factor) == 0:
            return np.full(spectra.known.shape, abs(float(self.factor)))
        mu = np.abs(np.asarray(self.factor, float))
        needed = spectra.painted(spectra.known) == 1.0
        bad = int((needed & ~(np.isfinite(mu) & (mu > 0.0))).sum())
        if bad:
            raise InputError(
                f"magnification: expected numbers other than 0 in all {int(needed.sum())} spaxels with a line, found "
                f"{bad} without; use a larger map, or mask these spaxels."
            )
        inverse = np.where(needed, 1.0 / np.where(needed, mu, 1.0), 0.0)
        return np.where(spectra.known, 1.0 / np.where(spectra.known, spectra.means(inverse), 1.0), np.nan)

    def of_region(self, light: np.ndarray, mask: np.ndarray) -> float:
        """Of a region's light as a whole (see `regions.magnification`)."""
        return abs(float(self.factor)) if np.ndim(self.factor) == 0 else magnification(light, self.factor, mask)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Luminosity:
    """What turns a flux into a star-formation rate.

    Attributes:
        flux: erg/s/cm^2 of one unit of the line fluxes.
        distance: luminosity distance, Mpc.
        kpc2: area of a spaxel at the source's distance, kpc^2, not demagnified; None in a table alone.
        rate: a name of `spaxel.RATES`.
        magnification: of the lens, if any.
    """

    flux: float
    distance: float
    kpc2: float | None
    rate: str
    magnification: Magnification = Magnification()

    def of_spectra(self, found: Mapping[str, Any], spectra: Spectra) -> dict[str, np.ndarray]:
        """`sfr` of each spectrum, demagnified, and `sfr_density`, which magnification leaves alone.

        Args:
            found: columns of `spaxel.posterior`, Hb per spaxel.
            spectra: theirs; in a bin `sfr` is that of all its spaxels. The error of the magnification is not in it.

        Raises:
            InputError: as `Magnification.of_spectra`.
        """
        mu, columns = self.magnification.of_spectra(spectra), dict[str, Any]()
        for end in ENDS:
            hb = np.asarray(found[f"hb{end}"]) * self.flux
            columns[f"sfr{end}"] = star_formation_rate(
                hb * spectra.pixels, self.distance, rate=self.rate, magnification=mu
            )
            if self.kpc2 is not None:
                columns[f"sfr_density{end}"] = surface_density(hb, self.distance, self.kpc2, rate=self.rate)
        return {name: np.asarray(values) for name, values in columns.items()}

    def of_region(self, hb: Any, pixels: int, mu: float, key: jax.Array) -> dict[str, float]:
        """The same two of summed fluxes, with the error of the magnification in `sfr`.

        Args:
            hb: draws of the region's intrinsic Hb, shape (draws,).
            pixels: its spaxels.
            mu: the magnification of its light.
            key: JAX random key.
        """
        rate = star_formation_rate(hb * self.flux, self.distance, rate=self.rate)
        columns = {"sfr": total(rate, mu, mu * np.asarray(self.magnification.relative), key)}
        if self.kpc2 is not None:
            columns["sfr_density"] = rate / (pixels * self.kpc2)
        return {
            f"{name}{end}": float(np.quantile(values, share))
            for name, values in columns.items()
            for end, share in ENDS.items()
        }
