"""One walk through a tree of nodes: every place of a free parameter, with what its field declares."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from jax.tree_util import DictKey, GetAttrKey, SequenceKey

from jaxmetal import prior
from jaxmetal.numerics.profile import turns_of


class Place(NamedTuple):
    """Where a free parameter stands.

    Attributes:
        site: name of the parameter: its path, or its tie.
        path: names and numbers from the root.
        field: name of the field that holds it, with the keys below that one.
        unit: as the field declares it; "" where it declares none.
        within: likewise, or None.
        role: likewise, or "".
        period: in degrees, of one number or of each element; None where it is no angle.
    """

    site: str
    path: tuple[str, ...]
    field: str
    unit: str = ""
    within: str | None = None
    role: str = ""
    period: float | tuple[float, ...] | None = None


def places(tree: Any) -> list[Place]:
    """All places of free parameters, in the order of the tree's leaves; a tied parameter has several."""
    return [_place(tree, site, keys) for site, keys in prior.places(tree)]


def _place(tree: Any, site: str, keys: tuple[Any, ...]) -> Place:
    """Follows the keys from the root; what a field declares holds for all in it, up to the next node."""
    here, holder, said = tree, None, _Said("")
    for key in keys:
        if isinstance(key, GetAttrKey):
            said, here, holder = _said(here, holder, key.name), getattr(here, key.name), here
        elif isinstance(key, (DictKey, SequenceKey)) and here is not None:
            index = key.key if isinstance(key, DictKey) else key.idx
            said, here = _of_element(said, index), here[index]
        else:
            # From here on only the maker of the node knows, as in the arguments of a Partial.
            said, here, holder = _Said(prior.labels(keys)[-1]), None, None
    return Place(site, prior.labels(keys), *said)


class _Said(NamedTuple):
    """The part of a `Place` that a field declares."""

    field: str
    unit: str = ""
    within: str | None = None
    role: str = ""
    period: Any = None


def _said(node: Any, holder: Any, name: str) -> _Said:
    fields = dataclasses.fields(node) if dataclasses.is_dataclass(node) else ()
    found = next((field.metadata for field in fields if field.name == name and "unit" in field.metadata), None)
    if found is None:
        return _Said(name)
    period = found["period"]
    period = period(node, turns_of(holder)) if callable(period) else period
    return _Said(name, found["unit"], found["within"], found["role"], period if np.ndim(period) == 0 else tuple(period))


def _of_element(said: _Said, index: Any) -> _Said:
    """What is said of one element of a list or mapping in a field."""
    period = said.period[index] if isinstance(said.period, tuple) else said.period
    return said._replace(field=f"{said.field} {index}".strip(), period=period)
