"""Slopes in the units that people use: per arcsec, kpc and effective radius, always of the deprojected radius."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxmetal.edge.ranges import number
from jaxmetal.meaning import SLOPE, carried
from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.result.size import effective_radius
from jaxmetal.result.views import View, view

Scale = float | Mapping[str, float] | None
"""Proper kpc per arcsec: of all sources, or of each whose redshift is known by its name; None without one."""


class Slopes(NamedTuple):
    """Draws of one gradient.

    Attributes:
        per_arcsec: dex per arcsec of deprojected (semi-major-axis) radius.
        per_kpc: dex per kpc, or None without a scale.
        per_r_eff: dex per half-light radius (major axis; see `result.size.effective_radius`), or None without one.
    """

    per_arcsec: np.ndarray
    per_kpc: np.ndarray | None
    per_r_eff: np.ndarray | None


def gradients(posterior: Posterior | View) -> list[tuple[str, str, str]]:
    """(site, source, property) of every free linear slope of the scene; one that is tied, for each property."""
    seen = view(posterior)
    places = [place for one in seen.meanings.values() for place in one.places if place.role == SLOPE]
    stand = dict.fromkeys((place.site, carried(place)) for place in places)
    sources = seen.posterior.tree[SCENE].sources
    every = [(name, prop) for name, source in sources.items() for prop in source.carries]
    return [(site, *where) for where in every for site, home in stand if home == where]


def slopes(posterior: Posterior | View, site: str, source: str, prop: str, kpc_per_arcsec: Scale = None) -> Slopes:
    """Draws of a slope in all units; size and slope come from the same draw."""
    seen = view(posterior, source=source, prop=prop, site=site)
    drawn, size = seen.posterior.draws[site], effective_radius(seen, source, prop)
    scale = scale_of(seen, source, kpc_per_arcsec)
    return Slopes(drawn, None if scale is None else drawn / scale, None if size is None else drawn * size)


def scale_of(posterior: Posterior | View, source: str, kpc_per_arcsec: Scale) -> float | None:
    """Proper kpc per arcsec of a source, None where its redshift is not known.

    Raises:
        InputError: if it is not above 0, or the fit has no source of a name that is given.
    """
    scale = kpc_per_arcsec
    if isinstance(kpc_per_arcsec, Mapping):
        for name in kpc_per_arcsec:
            view(posterior, source=name)
        scale = kpc_per_arcsec.get(source)
    return None if scale is None else number("kpc_per_arcsec", scale, "(0, inf)", "kpc/arcsec")
