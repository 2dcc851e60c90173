"""Slopes in the units that people use: per arcsec, kpc and effective radius, always of the deprojected radius."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.model import SCENE
from jaxmetal.numerics.profile import half_light_radius
from jaxmetal.posterior import Posterior
from jaxmetal.result.views import View, view


class Slopes(NamedTuple):
    """Draws of one gradient.

    Attributes:
        per_arcsec: dex per arcsec of deprojected (semi-major-axis) radius.
        per_kpc: dex per kpc, or None without a scale.
        per_r_eff: dex per half-light radius (major axis) of the light that weights the property, or None without
            one.
    """

    per_arcsec: np.ndarray
    per_kpc: np.ndarray | None
    per_r_eff: np.ndarray | None


def gradients(posterior: Posterior | View) -> list[tuple[str, str, str]]:
    """(site, source, property) of every free linear slope of the scene."""
    posterior, found = view(posterior).posterior, []
    for name, source in posterior.tree[SCENE].sources.items():
        for prop in source.carries:
            site = f"{SCENE}.sources.{name}.carries.{prop}.profile.slope"
            if site in posterior.draws:
                found.append((site, name, prop))
    return found


def slopes(
    posterior: Posterior | View, site: str, source: str, prop: str, kpc_per_arcsec: float | None = None
) -> Slopes:
    """Draws of a slope in all units; size and slope come from the same draw."""
    seen = view(posterior)
    drawn, size = seen.posterior.draws[site], effective_radius(seen, source, prop)
    return Slopes(
        drawn, None if kpc_per_arcsec is None else drawn / kpc_per_arcsec, None if size is None else drawn * size
    )


def effective_radius(posterior: Posterior | View, source: str, prop: str) -> np.ndarray | None:
    """Half-light radius (arcsec) of the light that weights a property: draws if free, else a number, or None."""
    seen = view(posterior)
    posterior = seen.posterior
    light = posterior.tree[SCENE].sources[source].carries[prop].weight
    site = f"{SCENE}.sources.{source}.lights.{light}.r_eff"
    if site in posterior.draws:
        return posterior.draws[site]
    size = half_light_radius(seen.filled[SCENE].sources[source].lights[light])
    return None if size is None else np.asarray(size)
