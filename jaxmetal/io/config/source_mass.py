"""Stellar mass and errors of the magnification in the TOML file of `jaxmetal source`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.names import require_name
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lens_maps import deflection
from jaxmetal.io.config.lines.pairs import flux_and_sigma, style_of
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.redshifts import FARTHEST
from jaxmetal.io.config.table import child, choose, positive, take
from jaxmetal.io.fits import Map
from jaxmetal.io.spelling import require_known
from jaxmetal.lens import Plane
from jaxmetal.lens.derive import Lens
from jaxmetal.sourceplane.mass import StellarMass

UNITS = {"log Msun/kpc2": (True, True), "Msun/kpc2": (False, True), "log Msun": (True, False), "Msun": (False, False)}
"""Unit -> whether it is a logarithm, and whether it is a surface density; else it is of each pixel, as seen."""
DEAREST = 15.0
"""log10 of a surface density (Msun/kpc^2), or of a pixel's mass, above which there is none."""
LIGHTEST = 100.0
"""Solar masses, of the heaviest pixel or kpc^2, below which they are a logarithm."""
MODEL = ("x", "y", "z_lens", "z_map", "interpolation", "ignore_unit", "unit", "axes")


def stellar_mass(given: dict[str, Any], where: str, first: Map, kpc2: float, context: Context) -> StellarMass:
    """A map of stellar mass on the pixels of the lines.

    Args:
        given: {map, sigma | variance | ivar, unit}.
        where: its place.
        first: the map whose pixels the lines have.
        kpc2: area of a pixel at the source's distance, not demagnified.
        context: see `Context`.

    Raises:
        InputError: if it is no such map, or its unit is not known.
    """
    unit = choose(given.get("unit"), f"{where}.unit", UNITS)
    logarithm, density = UNITS[unit]
    read = context.beside(first, given.get("map"), f"{where}.map")
    style = style_of(given, where)
    error = given[style]
    noise = float(error) if isinstance(error, (int, float)) and not isinstance(error, bool) else None
    values, sigma = flux_and_sigma(
        read, context.beside(first, error, f"{where}.{style}") if noise is None else noise, style, where, context
    )
    there = np.isfinite(values)
    largest = float(values[there].max()) if there.any() else np.nan
    low, high = (0.0, DEAREST) if logarithm else (LIGHTEST, 10.0**DEAREST)
    if not low < largest <= high:
        raise InputError(
            f"{where}: expected a map in {unit}, found {largest:.3g} at most; is it a logarithm, or per pixel? Correct "
            "the unit."
        )
    if logarithm:
        values = 10.0**values
        sigma = values * sigma * np.log(10.0)
    factor = 1.0 if density else 1.0 / kpc2
    return StellarMass(density=factor * values, sigma=factor * sigma, kpc2=kpc2)


def magnification_error(given: dict[str, Any], where: str) -> tuple[float, float] | None:
    """Relative errors of the magnification, towards smaller and larger ones; None where nothing is stated.

    Raises:
        InputError: unless it is a number, or two, from 0 on, the first below 1.
    """
    if "magnification_error" not in given:
        return None
    stated, place = given["magnification_error"], f"{where}.magnification_error"
    both = stated if isinstance(stated, list) else [stated, stated]
    if len(both) != 2 or not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in both):
        raise InputError(
            f"{place}: expected a relative error, or two, towards smaller and larger magnification, found "
            f"{shown(stated)}; write e.g. [0.1, 0.2]."
        )
    low, high = (float(one) for one in both)
    if not (0.0 <= low < 1.0 and 0.0 <= high <= 100.0):
        raise InputError(
            f"{place}: expected 0 or more, and below 1 towards smaller magnification, found {shown(stated)}; give it "
            "over the magnification, e.g. 0.15."
        )
    return low, high


def models(given: dict[str, Any], where: str, context: Context) -> dict[str, list[Lens]]:
    """Other models of the lens, each of one deflection map or several, as of draws from its posterior.

    Raises:
        InputError: if one cannot be used.
    """
    tables, place = child(given, "models", where, {})
    made: dict[str, list[Lens]] = {}
    for name in tables:
        table, own = child(tables, name, place)
        require_name(name, own)
        if name == "across":
            raise InputError(f"{own}: 'across' is what all models say together; give it another name.")
        require_known(table, own, MODEL)
        x, y = (_files(table, axis, own) for axis in "xy")
        if len(x) != len(y):
            raise InputError(
                f"{own}: expected as many maps along x as along y, found {len(x)} and {len(y)}; add the others."
            )
        z_lens = positive(table, "z_lens", own, float, most=FARTHEST)
        context.redshifts.require_behind(z_lens, own)
        rest = {key: value for key, value in table.items() if key not in ("x", "y", "z_lens")}
        told = dataclasses.replace(context, z_lens=z_lens, findings=[])
        made[name] = [
            Plane(parts={"map": deflection({**rest, "x": a, "y": b}, f"{own}.{k}" if len(x) > 1 else own, told, build)})
            for k, (a, b) in enumerate(zip(x, y, strict=True))
        ]
        # What is said of every map that is as it should be was said of the lens itself.
        context.findings.extend(
            Finding(one.severity, f"{own}: {one.text}") for one in told.findings if one.severity != "info"
        )
    return made


def _files(table: dict[str, Any], axis: str, where: str) -> list[Any]:
    given = table.get(axis)
    files = given if isinstance(given, list) else [given]
    if not files:
        raise InputError(f"{where}.{axis}: expected a file or a list of files, found an empty list; name the maps.")
    return files


def mass_options(given: dict[str, Any], where: str) -> dict[str, float]:
    """How places are cut: `cell` and `snr` of a `SourceRecipe`, where they are stated.

    Raises:
        InputError: if one is not above 0.
    """
    require_known(given, where, ("map", "sigma", "variance", "ivar", "unit", "cell", "snr"))
    if "map" not in given:
        take(given, "map", where, str)
    most = {"cell": 100.0, "snr": 1e6}
    return {key: positive(given, key, where, float, most=most[key]) for key in most if key in given}
