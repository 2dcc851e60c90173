"""Numbers that bring their unit: anything with a method `to_value(unit)`, as the quantities of astropy have."""

from __future__ import annotations

import re
from typing import Any

from jaxmetal.numerics.errors import InputError

PROPERTIES = {
    "property": ("dex", "mag", "", "km/s"),
    "property/arcsec": ("dex/arcsec", "mag/arcsec", "1/arcsec", "km/(s arcsec)"),
}
"""Unit in terms of a property's, as a field declares it -> that of metallicities, extinctions, numbers, velocities."""

LOGARITHMS = re.compile(r"\b(dex|mag|dB)\b")
"""Logarithmic units; libraries convert them by a factor (1 mag = -0.4 dex), which makes one quantity of another."""

BEAM, SOLID_ANGLE = re.compile(r"\bbeam\b"), re.compile(r"\brad2\b")
"""Of decomposed units, which fluxes have no power of."""

UNKNOWN = re.compile(r"\b(property|data|flux|scatter)\b")
"""Words in units that stand for those of data, which are taken as they are."""


def has_unit(value: Any) -> bool:
    """Whether it is a quantity, and no bare number."""
    return hasattr(type(value), "to_value")


def may_have_unit(value: Any) -> bool:
    """Whether it is a quantity, or a prior, which may have been made of some."""
    return has_unit(value) or hasattr(type(value), "log_prob")


def plain(name: str, value: Any, *units: Any, told: str = "") -> Any:
    """The number of a quantity in the first of some units that it can be told in; what is no quantity as it is.

    Args:
        name: of what it is given for, for the sentence.
        value: anything.
        units: at least one, by name or as the quantity's own library has it; "" for a pure number.
        told: how the first is called, where not by its name.

    Raises:
        InputError: if it has another dimension.
    """
    if not has_unit(value):
        return value
    own = LOGARITHMS.findall(str(getattr(value, "unit", "")))
    for unit in units:
        if own and own != LOGARITHMS.findall(str(unit)):
            continue
        try:
            return value.to_value(unit)
        except (ValueError, TypeError):  # another dimension: each library has an error of its own
            continue
    asked = told or str(units[0]) or "no unit"
    found = getattr(value, "unit", type(value).__name__)
    raise InputError(
        f"{name}: expected a number or a quantity in {asked}, found a quantity in {found}; convert it, or "
        "give its number."
    )


def of_field(name: str, value: Any, unit: str | None) -> Any:
    """What is given for the field of a node, in the unit that the field declares.

    Args:
        name: of node and field.
        value: anything.
        unit: see `numerics.tree.parameter`; None where the field is no number.

    Raises:
        InputError: if it is a quantity of another dimension, where jaxmetal does not know the unit, or stands in a
            prior, which would lose it.
    """
    if hasattr(type(value), "log_prob"):
        _require_numbers(name, value, unit)
        return value
    own = unit is not None and unit not in PROPERTIES and UNKNOWN.search(unit)
    return plain(name, value, *_possible(unit), told="the unit of the data, without naming it" if own else "")


def _possible(unit: str | None) -> tuple[str, ...]:
    if unit in PROPERTIES:
        return PROPERTIES[unit]
    return ("",) if unit is None or UNKNOWN.search(unit) else (unit,)


def unit_of(value: Any, otherwise: Any = "") -> Any:
    """The unit of a quantity, as its library has it; of what is none, another."""
    return value.unit if has_unit(value) else otherwise


def flux_unit(name: str, value: Any) -> Any:
    """The unit of fluxes per pixel, as `unit_of`.

    Raises:
        InputError: if it is a magnitude or another logarithm, or per beam or solid angle.
    """
    unit = unit_of(value)
    if not has_unit(value):
        return unit
    if LOGARITHMS.search(str(unit)):
        todo = "convert it to fluxes"
    elif BEAM.search(plainly := str(unit.decompose())):
        todo = "multiply values and errors by the beams in a pixel"
    elif SOLID_ANGLE.search(plainly):
        todo = "multiply values and errors by the area of a pixel, such as (0.2 * u.arcsec)**2"
    else:
        return unit
    raise InputError(f"{name}: expected fluxes per pixel, found a quantity in {unit}; {todo}.")


def _require_numbers(name: str, prior: Any, unit: str | None) -> None:
    for key, value in vars(prior).items():
        if has_unit(value):
            raise InputError(
                f"{name}: expected a prior of bare numbers{f' in {unit}' if unit else ''}, found '{key}' of "
                f"{type(prior).__name__} in {getattr(value, 'unit', 'a unit')}; convert it before (to_value)."
            )
