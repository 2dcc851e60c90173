"""Star formation and stellar mass of a whole image of the source, with the error of its magnification."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax
import numpy as np

from jaxmetal.fluxmaps.luminosity import ENDS, Luminosity, Magnification
from jaxmetal.fluxmaps.regions import covered, summed
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.sourceplane.mass import StellarMass
from jaxmetal.spaxel import joint, total
from jaxmetal.spaxel.contract import Likelihood

DRAWS = 8192
"""Of the magnification, and of Hb."""

Interval = tuple[float, float, float]
"""16, 50 and 84 %."""


class Totals(NamedTuple):
    """Of one image of the source; NaN where it is not known.

    Attributes:
        magnification: of its light.
        sfr: solar masses per year.
        mass: stellar, solar masses, of the pixels that have one.
        mass_covered: their share of the pixels that the total is of.
    """

    magnification: Interval
    sfr: Interval
    mass: Interval
    mass_covered: float


NOTHING: Interval = (float("nan"),) * 3


def totals(
    likelihood: Likelihood,
    spectra: Spectra,
    mask: np.ndarray,
    mu: float,
    relative: float | tuple[float, float],
    *,
    luminosity: Luminosity | None = None,
    mass: StellarMass | None = None,
    seed: int = 0,
) -> Totals:
    """What is seen, over an uncertain magnification (`spaxel.total`): of flux, so that a differential one is in it.

    Args:
        likelihood: of the features.
        spectra: line fluxes of a map.
        mask: the pixels of the image, bool, shape (ny, nx); those with every line count, for the mass as well if
            there are any.
        mu: magnification of its light, above 0.
        relative: its error over itself, or two: towards smaller and larger magnification, the first below 1.
        luminosity: for star formation, whose own magnification is not used; None for none.
        mass: for stellar mass; None for none. Its light has the magnification of the lines.
        seed: of the draws.
    """
    sides, key = mu * np.asarray(relative, float), jax.random.key(seed)
    # 1 / total(1) is the magnification drawn: what divides everything below.
    magnified = 1.0 / np.asarray(total(np.ones(DRAWS), mu, sides, key))
    flux, sigma = spectra.painted(spectra.flux), spectra.painted(spectra.sigma)
    sums, errors = summed(flux, sigma, {"image": mask}, spectra.bins)
    used = covered(flux, sigma, mask)
    rate, stars, share = NOTHING, NOTHING, float("nan")
    if luminosity is not None and np.isfinite(sums[0]).any():
        hb = joint(likelihood.summed(float(used.sum())), sums[0], errors[0], count=DRAWS, seed=seed)["hb"]
        own = dataclasses.replace(luminosity, magnification=Magnification(relative=relative))
        found = own.of_region(hb, int(used.sum()), mu, key)
        rate = (found["sfr_low"], found["sfr"], found["sfr_high"])
    if mass is not None:
        counted = used if used.any() else mask
        seen, share = mass.seen(counted, spectra), mass.covered(counted, spectra)
        drawn = seen[0] + seen[1] * np.random.default_rng(seed).standard_normal(DRAWS)
        stars = _interval(drawn / magnified)
    return Totals(magnification=_interval(magnified), sfr=rate, mass=stars, mass_covered=share)


def _interval(draws: np.ndarray) -> Interval:
    low, middle, high = (float(np.quantile(draws, share)) for share in ENDS.values())
    return low, middle, high
