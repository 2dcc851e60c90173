"""Where the maps of `kind = "lines"` are: files of their own, or extensions of one file for all."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.noise import only_style
from jaxmetal.io.config.context import Context, in_file
from jaxmetal.io.config.lines.pairs import flux_and_sigma
from jaxmetal.io.config.pixels import used_of
from jaxmetal.io.fits import Map

MASK = ("mask", "mask_means", "bad_bits")
"""What says of a map, or of all, which pixels count."""


def located(table: dict[str, Any], row: dict[str, Any], key: str, where: str) -> Any:
    """A file; with `file` in the table of the observation, names, numbers and [name, EXTVER] are extensions of that."""
    if key not in row:
        raise InputError(
            f"{where}: the key '{key}' is missing; name a file, or an extension of the observation's file."
        )
    if "file" in table and (isinstance(row[key], bool) or not isinstance(row[key], str | int | list | dict)):
        raise InputError(
            f"{where}.{key}: expected an extension of {shown(table['file'])} by name or number, or another file, found "
            f"{shown(row[key])}; correct it."
        )
    return in_file(row[key], table.get("file"))


def map_of(table: dict[str, Any], row: dict[str, Any], where: str, context: Context) -> Map:
    """The map of the fluxes of a line."""
    return context.map(located(table, row, "flux", where), f"{where}.flux")


def pair(
    table: dict[str, Any], row: dict[str, Any], where: str, name: str, flux: Map, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors of a line."""
    place = f"{where}.features.{name}"
    style, noise = only_style(row, place)
    if type(noise) is int and "file" in table:
        raise InputError(
            f"{place}.{style}: expected a number with a point, or the name of an extension, found {noise}, which may "
            f"be either; write {noise}.0 or the name."
        )
    if not isinstance(noise, float | int):
        noise = context.beside(flux, located(table, row, style, place), f"{place}.{style}")
    return flux_and_sigma(flux, noise, style, place, context)


def used_in(
    table: dict[str, Any], row: dict[str, Any], where: str, flux: Map, both: np.ndarray | None, context: Context
) -> np.ndarray:
    """What counts of a line: by the mask of all and by its own."""
    own = {key: row[key] for key in MASK if key in row}
    if "mask" in own:
        own = {**{key: table[key] for key in MASK if key in table}, **own}
        own["mask"] = located(table, own, "mask", where)
    used = used_of(own, where, flux, context)
    counted = [one for one in (both, used) if one is not None]
    return np.logical_and.reduce([np.ones(flux.values.shape, bool), *counted])


def within(table: dict[str, Any], key: str) -> dict[str, Any]:
    """The table of an observation, what it says of a map of all lines as `in_file`."""
    return {**table, key: in_file(table[key], table.get("file"))} if key in table else table
