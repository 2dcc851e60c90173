"""The meaning of every free parameter of a scene and its observations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from jaxmetal.meaning.roles import ROLES, Role
from jaxmetal.meaning.units import property_unit, resolved
from jaxmetal.meaning.walk import Place, places
from jaxmetal.model import SCENE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a free parameter is. Where a tie stands in places that disagree, nothing is said.

    Attributes:
        unit: "dex/arcsec"; "" for a pure number and where it is not known.
        role: see `ROLES`; "" where it is not known.
        period: of an angle, degrees: one number, or one for each element; None otherwise.
        within: the interval declared, or None.
        symbol: how it is written on axes.
        places: where it stands, at least one, their units resolved.
    """

    unit: str
    role: str
    period: float | tuple[float, ...] | None
    within: str | None
    symbol: str
    places: tuple[Place, ...]

    @property
    def description(self) -> str:
        """Its role in words; "" where it is not known."""
        return ROLES.get(self.role, Role("")).text


def meanings(tree: Mapping[str, Any]) -> dict[str, Meaning]:
    """Site name -> meaning.

    Args:
        tree: from `model.tree`, with distributions, ties or places (`prior.Free`) where something is free.
    """
    found: dict[str, list[Place]] = {}
    for place in places(tree):
        unit = resolved(place.unit, known_units(place.path, tree))
        found.setdefault(place.site, []).append(place._replace(unit=unit))
    return {site: _joint(site, stands) for site, stands in found.items()}


def carried(place: Place) -> tuple[str, str] | None:
    """Source and property whose profile a place belongs to, or None."""
    path = place.path
    at_home = path[:2] == (SCENE, "sources") and path[3:4] == ("carries",) and path[5:6] == ("profile",)
    return (path[2], path[4]) if at_home else None


def known_units(path: tuple[str, ...], tree: Mapping[str, Any]) -> dict[str, str]:
    """What the relative words of a unit stand for at a place: see `resolved`."""
    if path[0] != SCENE:
        return {"data": tree[path[0]].quantity.unit}
    if path[3:4] == ("carries",):
        return {"property": property_unit(tree, path[4])}
    return {}


def _joint(site: str, stands: list[Place]) -> Meaning:
    """Of all places of one site."""
    first = stands[0]
    tied = site != ".".join(first.path)
    return Meaning(
        unit=_agreed((place.unit for place in stands), ""),
        role=_agreed((place.role for place in stands), ""),
        within=_agreed((place.within for place in stands), None),
        period=_period([place.period for place in stands]),
        symbol=site if tied else _symbol(first),
        places=tuple(stands),
    )


def _agreed(said: Iterable[Any], otherwise: Any) -> Any:
    different = set(said)
    return different.pop() if len(different) == 1 else otherwise


def _period(said: list[Any]) -> Any:
    """The longest period, if it is a multiple of all others: that of a disc on which one property has two ends."""
    if any(isinstance(period, (tuple, type(None))) for period in said):
        return _agreed(said, None)
    longest = max(said)
    ratios = [longest / period for period in said]
    return longest if all(abs(ratio - round(ratio)) < 1e-9 for ratio in ratios) else None


def _symbol(place: Place) -> str:
    """The role's symbol in place of the field's name, with the keys below it."""
    field, *keys = place.field.split(" ")
    return " ".join([ROLES.get(place.role, Role("")).symbol or field, *keys])
