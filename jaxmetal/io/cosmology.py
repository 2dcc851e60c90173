"""Ages and scales at a redshift."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from astropy.cosmology import FLRW, FlatLambdaCDM

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.ranges import inside

DEFAULT_COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
"""That of Speagle et al. 2014 and most of the field's tables."""


@lru_cache(maxsize=16)
def flat(hubble: float, matter: float) -> FLRW:
    """A flat cosmology of H0 in km/s/Mpc and Om0; it takes 20 ms to make one, and every galaxy of a catalogue asks."""
    return FlatLambdaCDM(H0=hubble, Om0=matter)


def cosmic_age(redshift: Any, cosmology: FLRW = DEFAULT_COSMOLOGY) -> np.ndarray:
    """Age of the Universe at a redshift, Gyr, for `population.main_sequence`."""
    return np.asarray(cosmology.age(np.asarray(redshift, float)).value)


def kpc_per_arcsec(redshift: Any, cosmology: FLRW = DEFAULT_COSMOLOGY) -> np.ndarray:
    """Proper kpc per arcsec at a redshift, for slopes in dex/kpc.

    Raises:
        InputError: if a redshift is not above 0.
    """
    z = floats("redshift", redshift)
    if not np.all(inside("(0, inf)", z)):
        raise InputError(f"redshift: expected numbers above 0, found {shown(redshift)}; correct it.")
    return np.asarray(cosmology.kpc_proper_per_arcmin(z).value) / 60.0
