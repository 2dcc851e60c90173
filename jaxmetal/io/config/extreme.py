"""Numbers and priors beyond anything that is measured in their unit: of another unit, or typing errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import declared
from jaxmetal.meaning import known_units, places, resolved
from jaxmetal.model import SCENE
from jaxmetal.numerics.written import written
from jaxmetal.observation import shows_properties
from jaxmetal.prior import sites, spreads

LARGEST = {
    "arcsec": 1.296e6,  # a whole circle
    "deg": 3600.0,
    "dex": 100.0,
    "dex/arcsec": 1e4,  # the same within a hundredth of an arcsec
    "mag": 1000.0,
    "km/s": 299_792.458,  # of light
}
"""Unit -> more than anything that is measured in it."""
TIMES = 1e6
"""Times all that an observation shows, for numbers in the unit of its data or of its light."""


def extreme(prior: Mapping[str, Any], now: Mapping[str, Any]) -> list[Finding]:
    """Warnings of numbers, and of medians and widths of priors, that no measurement in their unit can have.

    Args:
        prior: scene and observations, see `model.tree`.
        now: the same with a typical number in the place of every parameter.
    """
    known, found = sites(prior), []
    widths = spreads(known)
    free = {place.path: place.site for place in places(prior)}
    for path, number, said in declared(now):
        if "unit" not in said or (np.ndim(number) and not said["several"]):  # a number per datum is part of the data
            continue
        unit = resolved(said["unit"], known_units(path, now))
        most, own = _most(path, unit, now), free.get(path)
        size = float(np.max(np.abs(number), initial=0.0))
        if size > most:
            told = f"found {size:.3g}" if own is None else f"the prior {written(known[own])} has a median of {size:.3g}"
        elif own is not None and not widths[own] <= most:
            told = f"the prior {written(known[own])} is {widths[own]:.3g} wide"
        else:
            continue
        expected = f"expected at most {most:.3g} {unit}".rstrip()
        where = ".".join(path[1:] if path[0] == SCENE else ("observations", *path))
        found.append(Finding("warning", f"{where}: {expected}, {told}; correct it."))
    return found


def _most(path: tuple[str, ...], unit: str, now: Mapping[str, Any]) -> float:
    """The largest number that makes sense at a place; infinite where nothing is known."""
    if unit in LARGEST:
        return LARGEST[unit]
    observations = {name: one for name, one in now.items() if name != SCENE}
    if path[0] in observations and unit == observations[path[0]].quantity.unit:
        return TIMES * _total(observations[path[0]])
    if unit == "flux":
        return TIMES * max(map(_total, _showing(path, now[SCENE], observations)), default=np.inf)
    return np.inf


def _showing(path: tuple[str, ...], scene: Any, observations: Mapping[str, Any]) -> Iterator[Any]:
    """Images of the light to which a number belongs."""
    for one in observations.values():
        if not shows_properties(one) and any(path[2] == source and light in path for source, light in one.shown(scene)):
            yield one


def _total(observation: Any) -> float:
    data = np.asarray(observation.data, float)
    return float(np.sum(np.abs(np.where(np.asarray(observation.used), np.nan_to_num(data), 0.0))))
