"""The calibrations of the literature, read from calibrations.toml."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.curves import InverseCubic, Polynomial
from jaxmetal.lines.names import look_up
from jaxmetal.lines.ratios import RATIOS
from jaxmetal.lines.strong_lines import Calibration

ALIASES: Mapping[str, str] = {"C19": "C20", "Maiolino+08": "M08", "Curti+20": "C20", "Curti+17": "C17"}
"""Other names of sets; Curti et al. 2020 was online in 2019."""


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, Calibration]]:
    """Every calibration: set -> name -> calibration."""
    tables = tomllib.loads(files("jaxmetal.lines").joinpath("calibrations.toml").read_text())
    return {
        key: {name: _read(f"{key}.{name}", row, table) for name, row in table["calibrations"].items()}
        for key, table in tables.items()
    }


def calibration_set(name: str, *, unverified: bool = False) -> Mapping[str, Calibration]:
    """The calibrations of one paper, by the names the paper uses.

    Args:
        name: a set ("M08", "C20", ...).
        unverified: also those whose digits were found in a single public source only.

    Raises:
        InputError: if the set is unknown, or has nothing but unverified calibrations and these were not asked for.
    """
    rows = look_up("calibration set", ALIASES.get(name, name), catalogue())
    kept = {key: row for key, row in rows.items() if unverified or row.verified}
    if not kept:
        raise InputError(
            f"calibration set {name}: expected verified coefficients, found digits from one public source only; "
            "check them against the paper and pass unverified=True."
        )
    return kept


def calibration(set_name: str, name: str, *, unverified: bool = False) -> Calibration:
    """One calibration by set and name, such as "C20" and "R3"; the name is the paper's or the ratio's.

    Raises:
        InputError: if it is unknown, or unverified and these were not asked for.
    """
    rows = look_up("calibration set", ALIASES.get(set_name, set_name), catalogue())
    by_ratio: dict[str, Calibration] = {}
    for row in rows.values():
        by_ratio.setdefault(row.ratio.name, row)
    found = look_up(f"calibration of {set_name}", name, {**by_ratio, **rows})
    if not (found.verified or unverified):
        raise InputError(
            f"calibration {found.name}: expected verified coefficients, found digits from one public source only; "
            "check them against the paper and pass unverified=True."
        )
    return found


def _read(name: str, row: Mapping[str, Any], table: Mapping[str, Any]) -> Calibration:
    zero = float(table["zero"])
    sigma = row.get("scatter")
    curve: Any
    if "coefficients" in row:
        curve, valid = Polynomial(coefficients=np.array(row["coefficients"], float), zero=zero), row["valid"]
    else:
        inverse = np.array(row["inverse"], float)
        valid = sorted(np.polynomial.polynomial.polyval(np.array(row["valid"]), inverse))
        if inverse.size == 2:
            curve = Polynomial(coefficients=np.array([-inverse[0], 1.0]) / inverse[1])
            # A line has the same scatter read either way, up to its slope.
            sigma = [row["scatter_oh"] / abs(inverse[1])] if "scatter_oh" in row else None
        else:
            curve = InverseCubic(coefficients=inverse)
    return Calibration(
        curve=curve,
        scatter=None if sigma is None else Polynomial(coefficients=np.array(sigma, float), zero=zero),
        valid=np.array(valid, float),
        name=name,
        ratio=RATIOS[row["ratio"]],
        source=table["source"],
        verified=row.get("verified", True),
    )
