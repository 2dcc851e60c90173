"""The features of a configuration, and their fluxes in one unit."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.noise import STYLES
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.fluxes import ReadFluxes, located, of_maps, of_table
from jaxmetal.io.config.lines.likelihood import by_name
from jaxmetal.io.config.lines.units import common, settle
from jaxmetal.io.config.lines.wavelengths import require_line
from jaxmetal.io.config.pixels import origin_of
from jaxmetal.io.config.table import child, choose, take
from jaxmetal.io.spelling import require_known
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.lines import feature
from jaxmetal.lines.contents import blends

COMMON = (
    "bins", "bin_values", "unit", "ignore_unit", "dereddened", "wavelengths", "pixel_scale", "mask", "mask_means",
    "bad_bits", "psf",
)  # fmt: skip
OF_FIT = ("psf", "sky")
"""Keys of a feature that count for --fit alone."""
FEATURE = ("flux", *STYLES, "blend", "wavelength", *OF_FIT, "mask", "mask_means", "bad_bits")


def features(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Feature -> its table, of known keys and known lines.

    Raises:
        InputError: if there is none, a key, line or weight cannot be used, or two are of the same lines.
    """
    given, _ = child(table, "features", "", {})
    if not given:
        raise InputError("features: expected at least one line, found none; add e.g. [features.Hb].")
    rows = {}
    for name in given:
        rows[name], where = child(given, name, "features")
        require_known(rows[name], where, FEATURE)
        if "blend" in rows[name]:
            by_name(rows[name], "blend", where)
    blends({name: row.get("blend", name) for name, row in rows.items()})
    return rows


def unused(rows: dict[str, dict[str, Any]]) -> list[Finding]:
    """What features state that fits of single spectra have no use for."""
    stated = [f"features.{name}.{key}" for name, row in rows.items() for key in OF_FIT if key in row]
    text = "only `jaxmetal lines --fit` uses it; fluxes are taken here as they are in the files."
    return [Finding("info", f"{', '.join(stated)}: {text}")] if stated else []


def fluxes(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> ReadFluxes:
    """Read, with the wavelengths checked that files and configuration state.

    Args:
        rows: of `features`.
        data: the table [data].
        context: see `Context`.

    Raises:
        InputError: if anything in the tables or their files cannot be used.
    """
    if "file" in data and "table" in data:
        raise InputError("data: expected either a file of maps or a table, found both; remove one.")
    require_known(data, "data", (*COMMON, *(("table", "id") if "table" in data else ("file",))))
    read = (of_table if "table" in data else of_maps)(rows, data, context)
    medium = choose(data.get("wavelengths", "vacuum"), "data.wavelengths", ("vacuum", "air"))
    for name, row in rows.items():
        lines, where = tuple(feature(row.get("blend", name))), f"features.{name}"
        if name in read.wavelengths:
            require_line(read.wavelengths[name], "vacuum", lines, f"{where}.flux, its header's RESTWAV")
        if "wavelength" in row:
            require_line(take(row, "wavelength", where, float), medium, lines, f"{where}.wavelength")
    return read


def origin(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> SkyCoord:
    """The middle of the first map; nowhere for a table alone, or a map whose pixel scale is all that is known."""
    if "table" in data:
        given = data.get("bins")
    else:
        name, row = next(iter(rows.items()))
        given = located(row, "flux", data, name)
    if given is None:
        return NOWHERE
    return origin_of(dataclasses.replace(context, inputs={}).map(given, "data", blank=True), "pixel_scale" in data)


def in_one_unit(read: ReadFluxes, data: dict[str, Any]) -> tuple[Spectra, float, str]:
    """Fluxes of spaxels in numbers that can be squared, what they were multiplied by, and their unit.

    Raises:
        InputError: if units contradict each other, or are none of a line flux.
    """
    stated, ignore = take(data, "unit", "data", str, None), take(data, "ignore_unit", "data", bool, False)
    spectra = read.spectra
    there = np.isfinite(spectra.flux) & np.isfinite(spectra.sigma)
    typical = float(np.median(spectra.sigma[there])) if there.any() else 1.0
    area = None if spectra.grid is None else float(spectra.grid.pixel_area)
    factor, unit = settle(common(stated, read.units, ignore=ignore), typical, area)
    return dataclasses.replace(spectra, flux=spectra.flux * factor, sigma=spectra.sigma * factor), factor, unit
