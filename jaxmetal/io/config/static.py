"""Fields of nodes that are no parameters: names, counts and switches, of the kind that their annotation says."""

from __future__ import annotations

import typing
from typing import Any

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.io.config.table import NAMES, choose, take


def static_value(owner: type, name: str, given: Any, where: str) -> Any:
    """What a configuration gives for a static field.

    Args:
        owner: class of the node; an annotation that is none of a plain kind, `tuple[int, ...]` and `Literal` takes all.
        name: of its field.
        given: in the file.
        where: place in the file.

    Raises:
        InputError: if it is of another kind.
    """
    kind = typing.get_type_hints(owner).get(name)
    if kind in NAMES:
        return take({name: given}, name, where.removesuffix(f".{name}"), kind)
    if typing.get_origin(kind) is typing.Literal:
        return choose(given, where, typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return _several(typing.get_args(kind)[0], given, where)
    return tuple(given) if isinstance(given, list) else given


def _several(kind: type, given: Any, where: str) -> tuple[Any, ...]:
    """A list of a kind."""
    if not isinstance(given, list) or not given:
        raise InputError(f"{where}: expected a list, found {shown(given)}; write e.g. [1, 2].")
    return tuple(take({str(k): one}, str(k), where, kind) for k, one in enumerate(given))
