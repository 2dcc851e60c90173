"""Positions of multiple images from a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.places import places
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import child, choose, naming, take
from jaxmetal.io.spelling import require_known
from jaxmetal.io.tables import column_units, read_table
from jaxmetal.observation import Positions
from jaxmetal.recipes.positions import STEPS, multiple_images

KEYS = ("kind", "data", "sigma", "noise", "plane", "distance_ratio")
UNITS = {"x": "arcsec", "y": "arcsec", "sigma": "arcsec", "ra": "deg", "dec": "deg", "z": "", "family": ""}
"""Column that is read -> its unit."""
PASSED_OVER = ("id", "name", "comment")
"""Columns that may stand beside them."""


def read(table: dict[str, Any], where: str, context: Context) -> Positions:
    """`kind = "positions"`: a table of images with columns family, x and y (or ra and dec), sigma and z.

    Raises:
        InputError: if anything in the table or its file cannot be used.
    """
    require_known(table, where, KEYS)
    place = f"{where}.data"
    path, _ = context.path(table.get("data"), place)
    columns = read_table(path, required=("family",))
    require_known(columns, f"{place}: a column of {path.name}", (*UNITS, *PASSED_OVER))
    for name, unit in column_units(path).items():
        if name in UNITS and unit != UNITS[name]:
            wanted = UNITS[name] or "no unit"
            raise InputError(f"{place}: expected column {name} in {wanted}, found {unit}; convert it.")
    family = [str(name).strip() for name in columns["family"].tolist()]
    x, y = places(columns, ("x", "y"), place, context)
    noise, at = child(table, "noise", where, {})
    require_known(noise, at, ("jitter",))
    with naming(where):
        return multiple_images(
            family,
            x,
            y,
            sigma=_sigma(table, columns, where),
            jitter=value(noise.get("jitter", 0.0), f"{at}.jitter", context),
            distance_ratio=_ratios(table, columns, family, where, context),
            plane=choose(table.get("plane", "source"), f"{where}.plane", STEPS),
        )


def _sigma(table: dict[str, Any], columns: dict[str, np.ndarray], where: str) -> Any:
    """Of each image, or of all."""
    if ("sigma" in table) == ("sigma" in columns):
        found = "both" if "sigma" in table else "neither"
        raise InputError(
            f"{where}: expected the errors as a column sigma of the table or as {where}.sigma (arcsec), found {found}; "
            "give one."
        )
    return columns["sigma"] if "sigma" in columns else take(table, "sigma", where, float)


def _ratios(
    table: dict[str, Any], columns: dict[str, np.ndarray], family: list[str], where: str, context: Context
) -> dict[str, Any]:
    """D_LS/D_S of each family: as it is stated, or from its redshift; 1 of the only family where nothing is known."""
    stated, at = child(table, "distance_ratio", where, {})
    found = {name: value(given, f"{at}.{name}", context) for name, given in stated.items()}
    names = dict.fromkeys(family)
    z = floats("z", columns["z"]) if "z" in columns else np.full(len(family), np.nan)
    for name in names:
        known = np.unique(z[[one == name for one in family]])
        known = known[np.isfinite(known)]
        if name in found:
            if known.size:
                text = f"{at}.{name} is used in the place of the redshift of family '{name}', {known[0]:g}."
                context.findings.append(Finding("info", text))
            continue
        if known.size > 1:
            raise InputError(
                f"family '{name}': expected one redshift, found {known[0]:g} and {known[1]:g}; split it or correct one."
            )
        if known.size == 0 and len(names) > 1:
            raise InputError(
                f"family '{name}': expected its redshift in column z, found none; add it, or state "
                f"{at}.{name}, which may be a prior."
            )
        here, far = f"{where}.data: z of family '{name}'", context.redshifts
        found[name] = far.ratio_at(float(known[0]), here, context.planes, context.bending) if known.size else 1.0
    return found
