"""Regions of a configuration as masks, and the radius map that some are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.names import require_names
from jaxmetal.fluxmaps.regions import aperture, between
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.likelihood import pair
from jaxmetal.io.config.table import child, choose, positive, take
from jaxmetal.io.fits import Map
from jaxmetal.io.quality import read_used
from jaxmetal.io.spelling import require_known
from jaxmetal.io.wcs import tangent_offsets
from jaxmetal.numerics.grid import Grid

WHOLE = "whole"
"""The region that is always there."""
KINDS = ("aperture", "radius", "mask")


def masks(
    table: dict[str, Any], known: np.ndarray, grid: Grid, radius: np.ndarray | None, first: Map, context: Context
) -> dict[str, np.ndarray]:
    """Region -> True for its spaxels, shape (ny, nx); the whole galaxy first.

    Args:
        table: the configuration.
        known: spaxels with a line.
        grid: the spaxels.
        radius: of the spaxels in the source, arcsec; None if unknown.
        first: map of the spaxels.
        context: see `Context`.

    Raises:
        InputError: if a region is not one of an aperture, a range of radius and a mask, or has no spaxel.
    """
    given, where = child(table, "regions", "", {})
    require_names(given, where)
    if WHOLE in given:
        raise InputError(f"regions.{WHOLE}: expected another name, as this is always all spaxels; rename it.")
    return {
        WHOLE: known,
        **{name: _mask(*child(given, name, "regions"), grid, radius, first, context) for name in given},
    }


def radius(table: dict[str, Any], first: Map | None, context: Context) -> np.ndarray | None:
    """The radius of every spaxel in the source, arcsec, shape (ny, nx); None where none is given.

    Raises:
        InputError: if it is in another unit, or not of the pixels of the lines.
    """
    if "radius" not in table:
        return None
    if first is None:
        raise InputError("radius: expected maps of lines beside it, found a table alone; add data.bins.")
    read = context.beside(first, table["radius"], "radius")
    if read.unit not in ("", "arcsec"):
        raise InputError(f"radius: expected arcsec, found BUNIT '{read.unit}' in {read.path}; convert it.")
    return read.values


def _mask(
    table: dict[str, Any], where: str, grid: Grid, radius: np.ndarray | None, first: Map, context: Context
) -> np.ndarray:
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
    sense: Any = choose(table.get("mask_means"), f"{where}.mask_means", ("use", "reject"))
    return read_used(context.beside(first, table["mask"], f"{where}.mask"), sense)


def _named(where: str, make: Callable[..., np.ndarray], *arguments: Any) -> np.ndarray:
    try:
        return make(*arguments)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _circle(table: dict[str, Any], where: str, origin: SkyCoord) -> tuple[float, float, float]:
    """Centre and radius: a sky position in degrees, or offsets x (West), y (North) in arcsec from the maps' middle."""
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
