"""The sample that `jaxmetal simulate --galaxies` draws, and the TOML file that its galaxies share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from jaxmetal.io.config.table import choose
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.simulate import INSTRUMENTS, Parent, Survey, median_size, stamp, survey
from jaxmetal.simulate.niriss import PEAK_SNR

CONFIG = Path(__file__).with_name("shared.toml")

SIZE_AT_PIVOT = 8.9
"""kpc, of late types of 5e10 solar masses at z = 0 (van der Wel et al. 2014, ApJ 788, 28, abstract)."""

DISTANT = (1.0, 2.5)
REDSHIFTS = {"MUSE": (0.1, 0.4), "MaNGA": (0.03, 0.1)}
"""Where galaxies are large enough for the instruments that do not look at distant ones."""


def draw(count: int, instrument: str, seed: int) -> Survey:
    """Galaxies as bright as that of `jaxmetal simulate`, on stamps of one size, so that few programs are compiled.

    Raises:
        InputError: if the instrument is unknown, or as `simulate.survey`.
    """
    settings, parent = INSTRUMENTS[choose(instrument, "--instrument", INSTRUMENTS)], _parent(instrument)
    return survey(
        count,
        parent=parent,
        instrument=settings,
        kpc_per_arcsec=kpc_per_arcsec,
        peak_snr=PEAK_SNR,
        shape=stamp(_size(parent), settings),
        seed=seed,
    )


def configuration(instrument: str, galaxy: Mapping[str, Any]) -> str:
    """What all galaxies share, as TOML, with priors sized by the population, and a galaxy's entries in their places.

    Args:
        instrument: through which they are seen.
        galaxy: a row of the catalogue.
    """
    r_eff, fwhm = _size(_parent(instrument)), INSTRUMENTS[instrument].fwhm
    return Template(CONFIG.read_text(encoding="utf-8")).substitute(
        name=galaxy["name"],
        z=f"{galaxy['galaxy.z']:.4f}",
        halpha=galaxy["observations.halpha.data.file"],
        metallicity=galaxy["observations.metallicity.data.file"],
        pa=galaxy["sources.disc.frame.pa"],
        fwhm=fwhm,
        wander=fwhm / 2.0,
        r_eff=f"{r_eff:.2g}",
        log_r_eff=f"{math.log(r_eff):.2f}",
        steep=f"{0.5 / r_eff:.2g}",
    )


def _parent(instrument: str) -> Parent:
    return Parent(size_at_pivot=SIZE_AT_PIVOT, redshift=REDSHIFTS.get(instrument, DISTANT))


def _size(parent: Parent) -> float:
    """Half-light radius of the population's typical galaxy, arcsec."""
    redshift = sum(parent.redshift) / 2.0
    return float(median_size(parent.log_mass[0], redshift, SIZE_AT_PIVOT) / kpc_per_arcsec(redshift))
