"""Regions of a configuration as masks, and the magnification of a lens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.errors import InputError
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.fluxes import require_same_pixels
from jaxmetal.io.config.lines.likelihood import pair
from jaxmetal.io.config.table import child, choose, positive, require_known, take
from jaxmetal.io.fits import Map
from jaxmetal.io.quality import read_used
from jaxmetal.io.wcs import tangent_offsets
from jaxmetal.linemaps.luminosity import Magnification
from jaxmetal.linemaps.regions import aperture, between
from jaxmetal.numerics.grid import Grid

WHOLE = "whole"
"""The region that is always there."""
KINDS = ("aperture", "radius", "mask")


def masks(table: dict[str, Any], known: np.ndarray, grid: Grid, first: Map, context: Context) -> dict[str, np.ndarray]:
    """Region -> True for its spaxels, shape (ny, nx); the whole galaxy first.

    Args:
        table: the configuration.
        known: spaxels with a line.
        grid: the spaxels.
        first: the map that has their world coordinates.
        context: see `Context`.

    Raises:
        InputError: if a region is not one of an aperture, a range of radius and a mask, or has no spaxel.
    """
    given, _ = child(table, "regions", "", {})
    if WHOLE in given:
        raise InputError(f"regions.{WHOLE}: expected another name, as this is always all spaxels; rename it.")
    radius = _radius(table, first, context) if "radius" in table else None
    return {WHOLE: known, **{name: _mask(*child(given, name, "regions"), grid, radius, context) for name in given}}


def magnification(table: dict[str, Any], first: Map | None, context: Context) -> Magnification:
    """That of the table [magnification]; 1 without it.

    Raises:
        InputError: if it is neither a positive number nor a map of the lines' pixels, or its error is negative.
    """
    given, where = child(table, "magnification", "", {})
    require_known(given, where, ("value", "sigma", "map", "relative_error"))
    if not given:
        return Magnification()
    if ("value" in given) == ("map" in given):
        found = "both" if "map" in given else "neither"
        raise InputError(
            f"{where}: expected either value and sigma, or map and relative_error, found {found}; give one."
        )
    error = "sigma" if "value" in given else "relative_error"
    require_known(given, where, ("value", "sigma") if "value" in given else ("map", "relative_error"))
    size = take(given, error, where, float)
    if not 0.0 <= size < np.inf:
        raise InputError(f"{where}.{error}: expected 0 or more, found {size}; correct it.")
    if "value" in given:
        value = positive(given, "value", where, float)
        return Magnification(factor=value, relative=size / value)
    if first is None:
        raise InputError(f"{where}.map: expected a map of lines beside it, found a table alone; give a value.")
    read = context.map(given["map"], f"{where}.map")
    require_same_pixels(first, read, f"{where}.map", context)
    return Magnification(factor=read.values, relative=size)


def _radius(table: dict[str, Any], first: Map, context: Context) -> np.ndarray:
    read = context.map(table["radius"], "radius")
    require_same_pixels(first, read, "radius", context)
    return read.values


def _mask(table: dict[str, Any], where: str, grid: Grid, radius: np.ndarray | None, context: Context) -> np.ndarray:
    require_known(table, where, (*KINDS, "mask_means"))
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise InputError(
            f"{where}: expected exactly one of {', '.join(KINDS)}, found {' and '.join(kinds) or 'none'}; give one."
        )
    if kinds == ["aperture"]:
        return _named(where, aperture, grid, *_circle(*child(table, "aperture", where), context.origin))
    if kinds == ["radius"]:
        if radius is None:
            raise InputError(f"{where}: expected a map of the source radius, found none; add [radius] with its file.")
        return _named(where, between, radius, *pair(table, "radius", where))
    path, hdu = context.path(table["mask"], f"{where}.mask")
    sense: Any = choose(table.get("mask_means"), f"{where}.mask_means", ("use", "reject"))
    return read_used(path, sense, shape=grid.shape, hdu=hdu)


def _named(where: str, make: Callable[..., np.ndarray], *arguments: Any) -> np.ndarray:
    try:
        return make(*arguments)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _circle(table: dict[str, Any], where: str, origin: SkyCoord) -> tuple[float, float, float]:
    """Centre and radius: a sky position in degrees, or offsets x (West) and y (North) from the middle of the maps in arcsec."""
    size = positive(table, "radius", where, float)
    if "ra" in table or "dec" in table:
        require_known(table, where, ("ra", "dec", "radius"))
        ra, dec = (take(table, key, where, float) for key in ("ra", "dec"))
        if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
            raise InputError(
                f"{where}: expected ra in 0 to 360 and dec in -90 to 90 degrees, found {ra}, {dec}; correct them."
            )
        x, y = (float(one) for one in tangent_offsets(SkyCoord(ra, dec, unit="deg"), origin))
    else:
        require_known(table, where, ("x", "y", "radius"))
        x, y = (take(table, key, where, float) for key in ("x", "y"))
    return x, y, size
