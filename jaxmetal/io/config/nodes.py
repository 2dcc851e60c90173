"""Nodes by the name of their class: `{type = "Sersic", flux = 1.0, r_eff = 0.8, n = 1.0}`."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from typing import Any

from jax.tree_util import Partial

from jaxmetal import frame, instrument, lens, light, likelihood, mixing, tracer
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.names import require_names
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.extensions import extensions
from jaxmetal.io.config.files import READERS
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.static import static_value
from jaxmetal.io.config.table import choose
from jaxmetal.io.spelling import require_known
from jaxmetal.likelihood import correlation
from jaxmetal.numerics import field as random_field
from jaxmetal.prior import require_alike

ROOMS = {
    "frame": (frame, "to_plane"),
    "light": (light, "__call__"),
    "tracer": (tracer, "__call__"),
    "field": (random_field, "__call__"),
    "correlation": (correlation, "__call__"),
    "lens": (lens, "__call__"),
    "noise": (likelihood, "pointwise"),
    "mixing": (mixing, "combine"),
    "psf": (instrument, "form"),
}
"""Room -> module and the method that its nodes have."""


def known_types(room: str) -> dict[str, Any]:
    """What a room offers, by name: its classes, and what packages add (see `extensions`)."""
    module, method = ROOMS[room]
    own = {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, type) and dataclasses.is_dataclass(found) and method in vars(found)
    }
    return {**own, **extensions(room, own)}


def build(given: Any, room: str, where: str, context: Context, extra: dict[str, Any] | None = None) -> Any:
    """A node of a room.

    Args:
        given: table with `type` and the node's fields; the name of a type alone if it needs none.
        room: key of `ROOMS`.
        where: place in the file.
        context: see `Context`.
        extra: field -> value where the file gives none and the class, or a node in it, has the field (the noise's
            sigma).

    Raises:
        InputError: if a type or key is not known, or a field is missing or cannot be used.
    """
    given = {"type": given} if isinstance(given, str) else given
    if given is None:
        raise InputError(
            f"{where} is missing: expected a table whose type is one of {', '.join(known_types(room))}; add it."
        )
    if not isinstance(given, dict) or "type" not in given:
        raise InputError(
            f"{where}: expected a table with a type, found {shown(given)}; "
            f'write e.g. {{type = "{next(iter(known_types(room)))}"}}.'
        )
    kinds = known_types(room)
    name = choose(given["type"], f"{where}.type", kinds)
    table = {key: v for key, v in given.items() if key != "type"}
    if (room, name) in READERS:
        return READERS[room, name](table, where, context, build)
    if not dataclasses.is_dataclass(kinds[name]):
        return _function(kinds[name], name, table, where, context)
    fields = {field.name: field for field in dataclasses.fields(kinds[name])}
    require_known(table, where, fields)
    made = {
        key: _field(kinds[name], fields[key], v, room, f"{where}.{key}", context, extra) for key, v in table.items()
    }
    made = {**{key: v for key, v in (extra or {}).items() if key in fields}, **made}
    for key, field in fields.items():
        if key not in made and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{where}: {name} needs '{key}', which is missing; add it.")
    require_alike(fields, made, where)
    return kinds[name](**made)


def _function(function: Any, name: str, table: dict[str, Any], where: str, context: Context) -> Partial:
    """A plain function of coordinates; what can be given by keyword is its parameters."""
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    require_known(table, where, [p.name for p in keywords])
    for keyword in keywords:
        if keyword.name not in table and keyword.default is keyword.empty:
            raise InputError(f"{where}: {name} needs '{keyword.name}', which is missing; add it.")
    settled = {key: value(given, f"{where}.{key}", context, several=True) for key, given in table.items()}
    return Partial(function, **settled)


def _field(
    owner: type, field: Any, given: Any, room: str, where: str, context: Context, extra: dict[str, Any] | None
) -> Any:
    if field.metadata.get("static"):
        return static_value(owner, field.name, given, where)
    if field.name == "parts":
        return _parts(owner, given, room, where, context)
    if "room" in field.metadata or (isinstance(given, dict) and "type" in given):
        room = field.metadata.get("room", room)
        inner = dataclasses.replace(context, several=field.metadata.get("several", False))
        return build(given, room, where, inner, extra)
    if room == "noise" and isinstance(given, str):
        return (
            context.map(given, where) if context.data is None else context.beside(context.data, given, where)
        ).values
    # A noise may have a number for each datum; what no field says of itself may be anything.
    several = field.metadata.get("several", True) or context.several or (room == "noise" and isinstance(given, list))
    return value(given, where, context, several=several)


def _parts(owner: type, given: Any, room: str, where: str, context: Context) -> Any:
    """Nodes by name, or one after the other where the class takes them so."""
    if not isinstance(given, (dict, list)) or not given:
        raise InputError(f"{where}: expected a table or list of what has a type, found {shown(given)}; add its parts.")
    named = typing.get_origin(typing.get_type_hints(owner)["parts"]) is dict
    if named and isinstance(given, list):
        raise InputError(
            f"{where}: expected parts by name, found a list; write a table, e.g. {{first = ..., second = ...}}."
        )
    parts = given if isinstance(given, dict) else {str(k): part for k, part in enumerate(given)}
    if isinstance(given, dict):
        require_names(given, where)
    made = {name: build(part, room, f"{where}.{name}", context) for name, part in parts.items()}
    return made if named else tuple(made.values())
