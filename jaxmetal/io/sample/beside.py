"""Errors and ends of intervals, in the unit of the values that they stand beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from astropy.units import Quantity, UnrecognizedUnit

from jaxmetal.io.sample.medians import Columns
from jaxmetal.io.units import parse_unit
from jaxmetal.numerics.quantities import plain


def in_unit_of(
    table: Columns, of: str, beside: Iterable[str], units: Mapping[str, str], where: str, *, ends: bool = False
) -> Columns:
    """Columns beside one of values, in its unit.

    A column without a unit is in that of the values, and so are all where one is in words that are no unit.

    Args:
        table: all columns.
        of: the column of values.
        beside: columns of their errors, or of ends of intervals.
        units: column -> unit, of those that state one.
        where: the table is.
        ends: whether they are of intervals: values of their own, and no differences.

    Raises:
        InputError: if the two units are not of one dimension.
    """
    target = parse_unit(units.get(of, ""))
    made = {}
    for name in beside:
        own = parse_unit(units.get(name, ""))
        told = units.get(of) and units.get(name) and not any(isinstance(u, UnrecognizedUnit) for u in (own, target))
        made[name] = _converted(table[name], own, target, f"{name} of {where}", ends) if told else table[name]
    return made


def _converted(values: np.ndarray, own: Any, target: Any, name: str, ends: bool) -> np.ndarray:
    # An error of dex(Msun) is one in dex: differences of logarithms have no zero point.
    if not (ends and hasattr(own, "function_unit") and hasattr(target, "function_unit")):
        own, target = (getattr(unit, "function_unit", unit) for unit in (own, target))
    return values if own == target else np.asarray(plain(name, Quantity(values, own, subok=True), target))
