"""The shape of every disc in the terms that people use, whichever of them its frame is made of."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.machine import Program
from jaxmetal.meaning.circles import folded
from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.parameters import Parameter
from jaxmetal.result.views import View, view

THIN = "of a thin disc, cos i = q"
TERMS = {
    "q": ("", "axis ratio b/a"),
    "inclination": ("deg", f"inclination {THIN}"),
    "pa": ("deg", "position angle of the major axis, East of North"),
}
"""Term -> unit and description, where it follows from what the frame states instead."""


class Listed(NamedTuple):
    """A number as tables list it.

    Attributes:
        number: its draws, and what is said of them.
        unit: of it.
        description: in words.
        derived: whether it follows from free ones.
    """

    number: Parameter
    unit: str
    description: str
    derived: bool


def listed(posterior: Posterior | View) -> list[Listed]:
    """Every free number but coefficients, and below those of a frame the terms for its shape that follow from them.

    The inclination is that of a thin disc, cos i = q, unless the frame states inclination and thickness.
    """
    seen = view(posterior)
    rows = [
        Listed(one, seen.meanings[one.site].unit, seen.meanings[one.site].description, False) for one in seen.listed
    ]
    for path, terms in _frames(seen).items():
        derived = [
            Listed(Parameter(f"{path}.{term}", (), found.draws, found.best), *TERMS[term], True)
            for term, found in terms.items()
            if found.derived and found.draws.ndim == 2
        ]
        own = [place for place, row in enumerate(rows) if row.number.site.startswith(f"{path}.")]
        after = own[-1] + 1 if own else len(rows)
        rows[after:after] = derived
    return rows


def deprojection(posterior: Posterior | View, source: str, prop: str) -> dict[str, np.ndarray]:
    """Axis ratio and inclination (degrees) of the disc on which a property lies: draws where they are free."""
    seen = view(posterior, source=source, prop=prop)
    terms = _frames(seen)[_path(seen, source, prop)]
    return {term: terms[term].draws for term in ("q", "inclination")}


def is_thin(posterior: Posterior | View, source: str, prop: str) -> bool:
    """Whether that inclination is that of a thin disc, for want of a thickness."""
    seen = view(posterior, source=source, prop=prop)
    return _frames(seen)[_path(seen, source, prop)]["inclination"].derived


class _Term(NamedTuple):
    """Draws (chains, draws) and best value of a term; the number itself where it is fixed."""

    draws: np.ndarray
    best: float
    derived: bool


def _path(seen: View, source: str, prop: str) -> str:
    own = seen.posterior.tree[SCENE].sources[source].carries[prop].frame is not None
    return f"{SCENE}.sources.{source}" + (f".carries.{prop}.frame" if own else ".frame")


def _frames(seen: View) -> dict[str, dict[str, _Term]]:
    """Path of every frame -> its terms."""
    return seen.once(_found)


def _found(seen: View) -> dict[str, dict[str, _Term]]:
    sources = seen.skeleton[SCENE].sources
    frames = {f"{SCENE}.sources.{name}.frame": source.frame for name, source in sources.items()}
    frames |= {
        f"{SCENE}.sources.{name}.carries.{prop}.frame": carried.frame
        for name, source in sources.items()
        for prop, carried in source.carries.items()
        if carried.frame is not None
    }
    return {path: _terms(seen.posterior, frame) for path, frame in frames.items()}


def _terms(posterior: Posterior, frame: Any) -> dict[str, _Term]:
    """Of draws and best value together, which is one program."""
    draws, best = posterior.flat(), posterior.best
    all_of_them = {site: np.concatenate([values, np.asarray(best[site])[None]]) for site, values in draws.items()}
    chains = next(iter(posterior.draws.values())).shape[:2]
    stated = {field.name for field in dataclasses.fields(frame)}
    terms = {}
    for term, values in _shape(fill(frame, all_of_them)).items():
        values = np.asarray(values, float)
        if values.ndim == 0:
            terms[term] = _Term(values, float(values), term not in stated)
        else:
            values = folded(values, values[-1], 180.0) if term == "pa" else values
            terms[term] = _Term(values[:-1].reshape(chains), float(values[-1]), term not in stated)
    return terms


@Program
def _shape(frame: Any) -> dict[str, Any]:
    q = frame.axis_ratio
    angles = {"pa": frame.pa} if hasattr(frame, "pa") else {}
    return {
        "q": q,
        "inclination": getattr(frame, "inclination", jnp.rad2deg(jnp.arccos(jnp.minimum(q, 1.0)))),
        **angles,
    }
