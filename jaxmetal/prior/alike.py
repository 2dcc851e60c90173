"""What fields of a node must have in common, and switches that are none of their kinds."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import is_node, parts
from jaxmetal.prior.tree import Tied, is_site

ELLIPTICITY = "ellipticity"
"""Role of the components of a vector that is shorter than 1."""


def require_alike(fields: Mapping[str, Any], given: Mapping[str, Any], where: str) -> None:
    """Refuses lists of a node that are not of one length, and radii that do not grow.

    Args:
        fields: name -> field of its class.
        given: name -> value of some of them.
        where: the node is.

    Raises:
        InputError: naming the fields.
    """
    sizes: dict[str, tuple[int, ...]] = {}
    for key, value in given.items():
        said = fields[key].metadata
        lists = said.get("several") or (said.get("static") and isinstance(value, tuple))
        if lists and not isinstance(value, Tied):  # a tie has its shape elsewhere
            sizes[key] = value.shape() if is_site(value) else np.shape(value)
    if len(set(sizes.values())) > 1:
        found = " and ".join(f"{' x '.join(map(str, size)) or 'one number'} of {key}" for key, size in sizes.items())
        raise InputError(f"{where}: expected lists of one length, found {found}; give as many of each.")
    for key in sizes:
        radii = fields[key].metadata.get("role") == "radius" and not is_site(given[key])
        if radii and not np.all(np.diff(given[key]) > 0.0):
            raise InputError(
                f"{where}.{key}: expected radii that grow, found {shown(np.asarray(given[key]).tolist())}; sort them."
            )


def require_consistent(tree: Any, where: str) -> None:
    """Refuses nodes whose fields contradict each other, as `require_alike` does, or whose switches are not known.

    Args:
        tree: nodes, mappings and sequences of them, with numbers or distributions.
        where: its name.

    Raises:
        InputError: naming the first by its path.
    """
    if is_node(tree):
        _require_node(tree, where)
    for part in parts(tree):
        require_consistent(part.value, f"{where}.{part.name}")


def _require_node(one: Any, where: str) -> None:
    fields = {field.name: field for field in dataclasses.fields(one)}
    given = {name: getattr(one, name) for name in fields}
    require_alike(fields, given, where)
    _require_on_grid(given, where)
    _require_ellipse(fields, given, where)
    for name, kinds in _switches(one.__class__).items():
        if given[name] not in kinds:
            raise InputError(f"{where}.{name}: expected one of {', '.join(kinds)}, found {shown(given[name])}.")


def _require_ellipse(fields: Mapping[str, Any], given: Mapping[str, Any], where: str) -> None:
    """Refuses components of an ellipticity, or of many, that are numbers and together no shorter than 1."""
    components = {name: given[name] for name, field in fields.items() if field.metadata.get("role") == ELLIPTICITY}
    if any(map(is_site, components.values())):
        return
    size = float(np.max(np.sqrt(sum(np.square(one) for one in components.values()))))
    if size >= 1.0:
        raise InputError(
            f"{where}: expected {' and '.join(components)} with a root of the sum of squares below 1, found {size:g}; "
            "correct them."
        )


def _require_on_grid(given: Mapping[str, Any], where: str) -> None:
    """Refuses a table that has another shape than the grid that it lies on."""
    table, grid = given.get("values"), given.get("grid")
    if not isinstance(grid, Grid) or table is None or isinstance(table, Tied):
        return
    shape = table.shape() if is_site(table) else np.shape(table)
    if tuple(shape) != tuple(grid.shape):
        raise InputError(
            f"{where}.values: expected the shape {tuple(grid.shape)} of its grid, found {tuple(shape)}; correct one."
        )


@cache
def _switches(kind: type) -> dict[str, tuple[str, ...]]:
    """Static field -> what it can be, of those whose annotation is a `Literal`."""
    static = [field.name for field in dataclasses.fields(kind) if field.metadata.get("static")]
    hints = typing.get_type_hints(kind) if static else {}
    return {name: typing.get_args(hints[name]) for name in static if typing.get_origin(hints[name]) is typing.Literal}
