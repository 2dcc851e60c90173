"""What magnification, star formation and stellar mass say of every image of a source, beside its gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from jaxmetal.edge.findings import Finding
from jaxmetal.fluxmaps.galaxy import PATCHY
from jaxmetal.fluxmaps.luminosity import Luminosity
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.lens.derive import Lens
from jaxmetal.population import Run
from jaxmetal.population.regression import LONG
from jaxmetal.sourceplane.galaxy import MeasuredSource, SourceRecipe
from jaxmetal.sourceplane.magnified import MagnificationSpread, over_lenses
from jaxmetal.sourceplane.mass import StellarMass
from jaxmetal.sourceplane.resolved import ResolvedRelations, resolve
from jaxmetal.sourceplane.whole import Totals, totals
from jaxmetal.spaxel.contract import Likelihood

Sides = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Inferred:
    """Image of the source -> what is known of it.

    Attributes:
        totals: magnification, star-formation rate and stellar mass, with the error of the magnification in them.
        errors: relative errors of the magnification that are in these, towards smaller and larger; None for none.
        relations: resolved relations; empty without a map of mass.
        spreads: model -> spread of the magnification over its lenses, "across" over models; empty without other models.
    """

    totals: Mapping[int, Totals]
    errors: Mapping[int, Sides | None]
    relations: Mapping[int, ResolvedRelations]
    spreads: Mapping[int, Mapping[str, MagnificationSpread]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Images whose stellar mass is known in a part of their pixels."""
        return tuple(
            Finding(
                "warning",
                f"Image {name}: stellar mass is known in only {one.mass_covered:.0%} of its pixels, and its total is "
                "of these alone; use a map of mass that covers the image.",
            )
            for name, one in self.totals.items()
            if one.mass_covered < PATCHY
        )


def infer(
    measured: MeasuredSource,
    likelihood: Likelihood,
    spectra: Spectra,
    recipe: SourceRecipe,
    *,
    light: Any,
    luminosity: Luminosity | None = None,
    mass: StellarMass | None = None,
    error: Sides | None = None,
    models: Mapping[str, Sequence[Lens]] | None = None,
    reference: int = 0,
    run: Run = LONG,
    seed: int = 0,
) -> Inferred:
    """Totals and resolved relations of every image.

    The error of the magnification is the one that is stated; else, on each side, the widest of what the lenses of one
    model and what the models among themselves differ by.

    Args:
        measured: of `measure_source`.
        likelihood: of the features.
        spectra: line fluxes of the maps that were measured.
        recipe: as of `resolve`.
        light: whose magnification it is, shape (ny, nx).
        luminosity: what turns Hb into star formation; None for none.
        mass: stellar mass on the same pixels; None for none.
        error: relative errors of the magnification, towards smaller and larger.
        models: name -> lenses, of other models or of draws of one.
        reference: as of `resolve`.
        run: how relations are sampled.
        seed: of the draws.

    Raises:
        InputError: as what it calls.
    """
    spreads: dict[int, Mapping[str, MagnificationSpread]] = {}
    errors: dict[int, Sides | None] = {}
    whole: dict[int, Totals] = {}
    for name, one in measured.images.items():
        if models:
            spreads[name] = over_lenses(models, one.made.image, light, one.made.used)
        errors[name] = error if error is not None else widest(spreads[name]) if models else None
        whole[name] = totals(
            likelihood,
            spectra,
            one.made.used,
            one.magnified.flux_ratio,
            errors[name] or (0.0, 0.0),
            luminosity=luminosity,
            mass=mass,
            seed=seed,
        )
    relations: Mapping[int, ResolvedRelations] = {}
    if mass is not None and luminosity is not None:
        relations = resolve(
            measured,
            likelihood,
            spectra,
            luminosity,
            mass,
            recipe,
            reference=reference,
            run=run,
            seed=seed,
        )
    return Inferred(totals=whole, errors=errors, relations=relations, spreads=spreads)


def widest(spreads: Mapping[str, MagnificationSpread]) -> Sides:
    """Relative errors of the magnification: on each side the largest of those within models and across them."""
    sides = [tuple(side / one.median for side in one.errors) for one in spreads.values()]
    low, high = (max(one[k] for one in sides) for k in (0, 1))
    return low, high
