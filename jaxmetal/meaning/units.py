"""Units of observations, and of what parameters measure in terms of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jaxmetal.model import SCENE
from jaxmetal.observation import property_units

RELATIVE = re.compile(r"\b(property|data)\b(\^\d)?")
"""Words in the unit of a field that stand for another unit, and their power."""


def property_unit(tree: Mapping[str, Any], name: str) -> str:
    """Unit of a carried property, by the observations that show it; "" where none states one, or they disagree.

    Args:
        tree: from `model.tree`.
        name: of the property.
    """
    known = [property_units(part) for label, part in tree.items() if label != SCENE]
    shown = [units[name] for units in known if name in units]
    stated = set(shown) - {""}
    return stated.pop() if len(stated) == 1 else ""


def resolved(unit: str, known: Mapping[str, str]) -> str:
    """A declared unit with its relative words replaced, e.g. "property/arcsec" by "dex/arcsec".

    Args:
        unit: as a field declares it.
        known: "property" and "data" -> unit; one that is not known, or "", leaves the rest: "/arcsec".
    """

    def put(found: re.Match[str]) -> str:
        word, power = known.get(found[1], ""), found[2] or ""
        return f"({word}){power}" if power and "/" in word else word and word + power

    return RELATIVE.sub(put, unit).strip()
