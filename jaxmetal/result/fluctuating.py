"""A random field on the plane of its source: mean, standard deviation, and where the data tell anything."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.meaning import COEFFICIENT, carried
from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.on_source import on_source
from jaxmetal.result.predicted import spaced
from jaxmetal.result.views import View, view


class Fluctuations(NamedTuple):
    """Of a property that has a random field, at positions on the source's plane.

    Attributes:
        mean: over draws, in the unit of the property.
        sd: standard deviation over draws.
        told: share of the variance that the data took away: 1 - sd^2 / sd_0^2, where sd_0 is what sd would be if
            nothing were known of the field but its scatter and length. 0 where the data say nothing of it.
    """

    mean: np.ndarray
    sd: np.ndarray
    told: np.ndarray


def weights_of(posterior: Posterior | View, source: str, prop: str) -> list[str]:
    """Sites of the weights of the random fields in a property; none where it has no field."""
    known = view(posterior, source=source, prop=prop).meanings.items()
    return [site for site, one in known if one.role == COEFFICIENT and (source, prop) in map(carried, one.places)]


def fluctuations(
    posterior: Posterior | View, source: str, prop: str, beta: tuple[Any, Any], count: int = 200
) -> Fluctuations:
    """Mean, standard deviation and what the data tell of a property with a random field, without blur.

    Args:
        posterior: of a fit, or a view of it.
        source: name of the source.
        prop: name of the property.
        beta: positions on the source's plane (x, y), arcsec.
        count: number of draws.

    Raises:
        InputError: if the property has no field whose weights are free, or there are no draws.
    """
    seen = view(posterior, source=source, prop=prop)
    sites = weights_of(seen, source, prop)
    if not sites or not seen.posterior.sampled:
        raise InputError(
            f"fluctuations: expected draws of a random field in '{prop}' of '{source}', found "
            f"{'no field' if not sites else 'no draws'}; add a tracer.Field to its profile, or sample the posterior."
        )
    random = np.random.default_rng(0)
    known, forgotten = [], []
    for values in spaced(seen.posterior, count):
        known.append(_there(seen, source, prop, values, beta))
        anew = {site: random.standard_normal(np.shape(values[site])) for site in sites}
        forgotten.append(_there(seen, source, prop, {**values, **anew}, beta))
    variance = np.var(known, axis=0)
    told = 1.0 - variance / np.maximum(np.var(forgotten, axis=0), np.finfo(float).tiny)
    return Fluctuations(np.mean(known, axis=0), np.sqrt(variance), np.clip(told, 0.0, 1.0))


def _there(seen: View, source: str, prop: str, values: dict[str, Any], beta: tuple[Any, Any]) -> np.ndarray:
    return np.asarray(on_source(fill(seen.skeleton[SCENE].sources[source], values), beta).carried[prop], float)
