"""Where the pixels of an observation lie, and which of them count."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.errors import InputError
from jaxmetal.io.bins import BinMap, read_bins
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.table import choose, naming, positive
from jaxmetal.io.fits import Map
from jaxmetal.io.flags import bits_of
from jaxmetal.io.quality import read_used
from jaxmetal.io.wcs import COARSEST, NOWHERE
from jaxmetal.numerics.grid import Grid

FINEST = 1e-6
"""Arcsec of a pixel, below those of any telescope."""
SAME_SCALE = 0.01
"""Relative difference between a stated pixel scale and the file's that is still the same."""


def origin_of(data: Map, scaled: bool) -> SkyCoord:
    """The middle of a map; nowhere if only the scale of its pixels is stated.

    Raises:
        InputError: if neither is known.
    """
    if scaled and not data.on_sky:
        return NOWHERE
    try:
        return data.origin()
    except InputError as error:
        raise InputError(f"The map {data.path}: {error}") from None


def pixels_of(data: Map, table: dict[str, Any], where: str, context: Context) -> Grid:
    """The pixels, from world coordinates, or from a pixel scale around the sky origin where the file has none.

    Raises:
        InputError: if a stated scale contradicts the file, or one of several observations has world coordinates and
            another has none.
    """
    scale = positive(table, "pixel_scale", where, float, None, COARSEST)
    if scale is not None and scale < FINEST:
        raise InputError(f"{where}.pixel_scale: expected arcsec, at least {FINEST:g}, found {scale:g}; correct it.")
    if scale is None:
        return context.placed(data, f"{where}.data")
    if not data.on_sky:
        context.require_nowhere(data, f"{where}.data")
        return Grid.regular(data.values.shape, scale)  # type: ignore[arg-type]
    grid = context.placed(data, f"{where}.data")
    found = float(np.sqrt(grid.pixel_area))
    if abs(found / scale - 1.0) > SAME_SCALE:
        raise InputError(
            f"{where}.pixel_scale: {scale} arcsec contradicts the {found:.4g} arcsec of {data.path}; "
            "remove it or correct the header."
        )
    return grid


def used_of(table: dict[str, Any], where: str, data: Map, context: Context) -> np.ndarray | None:
    """Which pixels count by the mask of a table, None without one."""
    if "mask" not in table:
        alone = [key for key in ("mask_means", "bad_bits") if key in table]
        if alone:
            raise InputError(f"{where}.{alone[0]}: expected a mask beside it, found none; add one, or remove it.")
        return None
    mask = context.beside(data, table["mask"], f"{where}.mask")
    bits = bits_of(table["bad_bits"], f"{where}.bad_bits") if "bad_bits" in table else None
    sense = choose(table.get("mask_means"), f"{where}.mask_means", ("use", "reject"))
    with naming(f"{where}.mask"):
        return read_used(mask, sense, bits)  # type: ignore[arg-type]


def bins_of(table: dict[str, Any], where: str, data: Map, context: Context) -> BinMap:
    """The bins of a table."""
    path, hdu = context.path(table["bins"], f"{where}.bins")
    with naming(f"{where}.bins"):
        read = read_bins(path, hdu=hdu, data=data)
    context.findings.extend(read.findings)
    return read
