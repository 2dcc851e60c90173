"""Resolved main sequence and mass-metallicity relation on reconstructed maps, and what is left of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.luminosity import Luminosity
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.population import (
    Covariate,
    Measured,
    Relation,
    ResidualCorrelation,
    Run,
    Spearman,
    residual_correlation,
    spearman,
)
from jaxmetal.population.regression import LONG
from jaxmetal.sourceplane.galaxy import COVERED, MeasuredSource, SourceRecipe
from jaxmetal.sourceplane.mass import StellarMass
from jaxmetal.sourceplane.places import SourcePlaces, measured_places, psf_cells
from jaxmetal.sourceplane.stacks import stacked_rings
from jaxmetal.spaxel.contract import Likelihood

RELATIONS = ("main sequence", "mass-metallicity")
"""The two, in their order."""
FEWEST = 5
"""Places through which relations are drawn."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedRelations:
    """Of one image of the source.

    Attributes:
        places: where it was measured.
        relations: of star formation (first) and metallicity (second) with stellar mass, per kpc^2, and the correlation
            of what is left; None with fewer than `FEWEST` places.
        spearman: of star formation with mass, and of metallicity with mass.
    """

    places: SourcePlaces
    relations: ResidualCorrelation | None
    spearman: tuple[Spearman, Spearman] | None

    @property
    def named(self) -> list[tuple[str, Relation, Spearman]]:
        """Name, line and rank correlation of both relations; nothing where there are none."""
        if self.relations is None or self.spearman is None:
            return []
        return list(zip(RELATIONS, (self.relations.first, self.relations.second), self.spearman, strict=True))


def resolved_relations(places: SourcePlaces, *, run: Run = LONG, seed: int = 0) -> ResolvedRelations:
    """The resolved main sequence, the resolved mass-metallicity relation and the correlation of their residuals.

    Both are straight lines in logarithms of surface densities with errors in both variables and intrinsic scatter
    (`population.regress`), quoted at the median mass of the places; rank correlations have a probability. Star
    formation and metallicity of a place come from the same lines: what that alone makes of the residuals' correlation
    is in `by_shared_errors`, with what the common mass makes of it.

    Args:
        places: of `measured_places`.
        run: how the lines are sampled.
        seed: of the draws.
    """
    count = places.z.size
    if count < FEWEST or np.ptp(places.log_mass) == 0.0:
        return ResolvedRelations(places=places, relations=None, spearman=None)
    rate = Measured(
        values=places.log_sfr,
        sigma=places.log_sfr_error,
        label="log star formation",
        unit="dex",
        bars="place and error",
    )
    metals = Measured(values=places.z, sigma=places.z_error, label="12 + log(O/H)", unit="dex", bars="place and error")
    mass = Covariate(
        values=places.log_mass,
        sigma=places.log_mass_error,
        pivot=float(np.round(np.median(places.log_mass), 1)),
        label="log stellar mass",
        unit="dex",
    )
    found = residual_correlation(rate, metals, mass, run=run, seed=seed, error_correlation=places.correlation)
    ranks = spearman(rate, mass, seed=seed), spearman(metals, mass, seed=seed)
    return ResolvedRelations(places=places, relations=found, spearman=ranks)


def resolve(
    measured: MeasuredSource,
    likelihood: Likelihood,
    spectra: Spectra,
    luminosity: Luminosity,
    mass: StellarMass,
    recipe: SourceRecipe,
    *,
    reference: int = 0,
    run: Run = LONG,
    seed: int = 0,
) -> Mapping[int, ResolvedRelations]:
    """`resolved_relations` of every image, in cells as large as the PSF there.

    Surface brightness of lines and stellar mass are averaged in each cell first; what they mean is asked after that.

    Args:
        measured: of `measure_source`.
        likelihood: of the features.
        spectra: line fluxes of the maps that were measured.
        luminosity: what turns Hb into star formation.
        mass: on the same pixels.
        recipe: how cells are cut, along the PSF's axes or square.
        reference: line that must be strong enough.
        run: how lines are sampled.
        seed: of the draws.

    Raises:
        InputError: as what it calls.
    """
    density, sigma = mass.beside(spectra)
    if density.shape != tuple(measured.labels.shape):
        raise InputError(
            f"mass: expected a map of the shape {tuple(measured.labels.shape)} of the lines, found {density.shape}; "
            "cut it alike."
        )
    flux = np.concatenate([spectra.painted(spectra.flux), density[..., None]], axis=-1)
    errors = np.concatenate([spectra.painted(spectra.sigma), sigma[..., None]], axis=-1)
    found = {}
    for name, one in measured.images.items():
        cells = psf_cells(one.made.grid, one.shape, one.centre, recipe.cell, used=one.made.coverage >= COVERED)
        held = stacked_rings(one.made, cells, flux, errors, bins=spectra.bins)
        places = measured_places(likelihood, held, cells, luminosity, reference=reference, snr=recipe.snr, seed=seed)
        found[name] = resolved_relations(places, run=run, seed=seed)
    return found
