"""The scene of a configuration: spelled out, or a recipe sized by the data."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from jaxmetal import recipes
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.names import require_names
from jaxmetal.frame import OnSky
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lenses import Deflector, in_own_numbers, lenstool
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.priors import pair, value
from jaxmetal.io.config.redshifts import FARTHEST
from jaxmetal.io.config.table import child, choose, naming, positive, take
from jaxmetal.io.spelling import require_known
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.tree import nodes
from jaxmetal.observation import shows_properties
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.tracer import Tabulated

RECIPES = ("gradient", "broken_gradient", "lensed_gradient", "clumps", "line_gradient")
EXAMPLES = {"source": "disc", "light": "halpha"}
"""What a thing may be called."""
FROM_ELSEWHERE = ("observed", "lens", "image")
"""Arguments of recipes that the rest of the file provides."""
PLAIN = {"free_geometry": bool, "source": str, "number": int, "weight": str}
"""Arguments of recipes that are neither a node nor of an observation."""
RANGES = ("z_range", "a_v_range", "small_scale")
"""Those that are two numbers."""
NAMING = ("source", "weight")
"""Those of them that name a part of the scene."""


def scene(table: dict[str, Any], observations: Mapping[str, Any], lens: dict[str, Lens], context: Context) -> Scene:
    """The scene of a whole file, behind lenses that are read.

    Raises:
        InputError: unless there is either a recipe or sources (or neither, where no observation sees a source), or as
            their parts.
    """
    unseen = all(one.subject is None for one in observations.values())
    if unseen and "recipe" not in table and "sources" not in table:
        return Scene(sources={}, lens=lens)
    if ("recipe" in table) == ("sources" in table):
        found = "both" if "recipe" in table else "neither"
        raise InputError(
            f"The configuration needs either [sources] or [recipe], found {found}; a recipe makes the sources itself."
        )
    if "recipe" in table:
        return _recipe(*child(table, "recipe", ""), observations, lens, context)
    sources, where = child(table, "sources", "")
    _require_some(sources, where, "source")
    far, planes = context.redshifts, context.planes
    ratios = {name: far.ratio(name, planes, context.bending) if lens else 1.0 for name in sources}
    return Scene(
        sources={name: _source(*child(sources, name, where), ratios[name], context) for name in sources}, lens=lens
    )


def deflectors(table: dict[str, Any], context: Context) -> dict[str, Deflector]:
    """Name -> each deflector of [lens].

    Raises:
        InputError: if one cannot be used.
    """
    given, where = child(table, "lens", "", {})
    require_names(given, where)
    if isinstance(given.get("type"), str):
        raise InputError(f"{where}: expected a table of each deflector, found a type; name it, [{where}.NAME].")
    return {name: _lens(given[name], f"{where}.{name}", context) for name in given}


def _lens(given: Any, where: str, context: Context) -> Deflector:
    """A deflector."""
    if not isinstance(given, str | dict):
        raise InputError(f"{where}: expected a table or the name of a type, found {given!r}; write [{where}].")
    table = {"type": given} if isinstance(given, str) else dict(given)
    if "lenstool" in table:
        return lenstool(table, where, context)
    if "z_source" in table:
        raise InputError(
            f"{where}.z_source: expected the redshift of a source beside the source, found it here; state it as "
            "galaxy.z, or sources.NAME.z where a source has its own."
        )
    z_lens = positive(table, "z_lens", where, float, None, FARTHEST)
    if z_lens is not None:
        context.redshifts.require_behind(z_lens, where)
    table.pop("z_lens", None)
    own = dataclasses.replace(context, z_lens=z_lens)
    with naming(where):
        numbers, extra = in_own_numbers(table, where, own)
        return Deflector(build(numbers, "lens", where, own, extra), z_lens)


def _source(table: dict[str, Any], where: str, ratio: float, context: Context) -> Source:
    require_known(table, where, ("frame", "lights", "carries", "r_eff", "z", "distance_ratio", "departures"))
    lights, lights_where = child(table, "lights", where)
    carries, carries_where = child(table, "carries", where, {})
    departures, departures_where = child(table, "departures", where, {})
    _require_some(lights, lights_where, "light")
    require_names(carries, carries_where)
    return Source(
        frame=build(table.get("frame"), "frame", f"{where}.frame", context),
        lights={name: build(v, "light", f"{lights_where}.{name}", context) for name, v in lights.items()},
        carries={name: _carried(*child(carries, name, carries_where), list(lights), context) for name in carries},
        r_eff=value(table["r_eff"], f"{where}.r_eff", context) if "r_eff" in table else None,
        distance_ratio=value(table.get("distance_ratio", ratio), f"{where}.distance_ratio", context),
        departures={name: value(v, f"{departures_where}.{name}", context) for name, v in departures.items()},
    )


def _require_some(given: dict[str, Any], where: str, what: str) -> None:
    """Refuses an empty table, and names that files cannot have."""
    if not given:
        raise InputError(f"{where}: expected at least one {what}, found none; add e.g. [{where}.{EXAMPLES[what]}].")
    require_names(given, where)


def _carried(table: dict[str, Any], where: str, lights: list[str], context: Context) -> Carried:
    require_known(table, where, ("weight", "profile", "frame"))
    own = build(table["frame"], "frame", f"{where}.frame", context) if "frame" in table else None
    profile = build(table.get("profile"), "tracer", f"{where}.profile", context)
    if any(isinstance(part, Tabulated) for part in nodes(profile)) and not isinstance(own, OnSky):
        found = "the source's" if own is None else type(own).__name__
        raise InputError(
            f'{where}.frame: expected OnSky for a property from a map of the sky, found {found}; write frame = "OnSky".'
        )
    return Carried(
        profile=profile,
        weight=choose(table.get("weight"), f"{where}.weight", lights),
        frame=own,
    )


def _recipe(
    table: dict[str, Any], where: str, observations: Mapping[str, Any], lens: dict[str, Any], context: Context
) -> Scene:
    """A ready-made prior; `light` names an image among the observations, or is a light."""
    name = choose(table.get("name"), f"{where}.name", RECIPES)
    make = getattr(recipes, name)
    wanted = inspect.signature(make).parameters
    require_known(
        table,
        where,
        [
            "name",
            "map",
            *(key for key in wanted if key not in FROM_ELSEWHERE),
            *(["image"] if "image" in wanted else []),
        ],
    )
    options: dict[str, Any] = {key: take(table, key, where, kind) for key, kind in PLAIN.items() if key in table}
    require_names([options[key] for key in NAMING if key in options], where)
    options |= {key: pair(table, key, where) for key in RANGES if key in table}
    kind = "map" if "light" in wanted or "image" in wanted else "lines"
    maps = [key for key, o in observations.items() if o.properties and shows_properties(o) == (kind == "map")]
    if not maps:
        raise InputError(
            f'{where}: the recipe needs a map among the observations, found none; add one of kind "{kind}".'
        )
    observed = observations[choose(table.get("map", maps[0]), f"{where}.map", maps)]
    for key in ("light", "image"):
        if key in wanted:
            options[key] = _light(table.get(key), f"{where}.{key}", observations, context)
    if "frame" in table:
        options["frame"] = build(table["frame"], "frame", f"{where}.frame", context)
    if "thickness" in table:
        options["thickness"] = positive(table, "thickness", where, float)
    if "profile" in table:
        options["profile"] = _sized(table["profile"], f"{where}.profile", context)
    if "lens" in wanted:
        options["lens"] = lens
        return make(observed, **options)
    if lens:
        raise InputError(
            f"{where}: the recipe '{name}' knows no lens, found [lens]; use lensed_gradient or write the sources."
        )
    return make(observed, **options)


def _sized(given: Any, where: str, context: Context) -> Callable[..., Any]:
    """What makes a light of flux and r_eff; the table gives the rest of it."""

    def made(**sized: Any) -> Any:
        light = build(given, "light", where, context, sized)
        if any(getattr(light, name, None) is not own for name, own in sized.items()):
            raise InputError(
                f"{where}: expected a light whose {' and '.join(sized)} are left to the recipe, found {shown(given)}; "
                'write e.g. "Exponential".'
            )
        return light

    return made


def _light(given: Any, where: str, observations: Mapping[str, Any], context: Context) -> Any:
    images = [key for key, o in observations.items() if o.subject is not None and not o.properties]
    if isinstance(given, dict):
        return build(given, "light", where, context)
    if not images:
        raise InputError(
            f"{where}: expected an image among the observations or a light {{type = ...}}, found "
            f"{shown(given)}; add one."
        )
    return observations[choose(given, where, images)]
