"""Observations of `kind = "lines"`: a map of fluxes for each line or blend."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.names import require_names
from jaxmetal.edge.noise import STYLES
from jaxmetal.edge.physical import varied
from jaxmetal.io.config.chromatic import chromatic
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.line_bins import KEYS, InBins, in_bins
from jaxmetal.io.config.line_files import MASK, located, map_of, pair, used_in, within
from jaxmetal.io.config.lines.likelihood import KINDS, by_name
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.noises import built_around, require_errors_once
from jaxmetal.io.config.pixels import origin_of, pixels_of, used_of
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import child, naming, take
from jaxmetal.io.fits import Map
from jaxmetal.io.pixels import require_same_pixels
from jaxmetal.io.spelling import require_known
from jaxmetal.io.tables import read_table
from jaxmetal.io.units import parse_unit, per_pixel
from jaxmetal.io.wcs import judge_pixels
from jaxmetal.lines import Emission, Photoionisation, emission, photoionisation
from jaxmetal.lines.contents import Contents
from jaxmetal.observation import LineMaps, Sky
from jaxmetal.prior import is_site
from jaxmetal.recipes import line_maps

EMISSION = (
    "calibrations", "law", "r_v", "temperature", "scatter", "hydrogen", "oiii_doublet", "nii_doublet", "unverified",
)  # fmt: skip
"""Options of `lines.emission`, as `jaxmetal lines` reads them."""
DUST = ("law", "r_v")
"""Those of them that a grid of models takes as well."""
COMMON = (
    "kind", "file", "features", "models", *EMISSION, "light", "reddened", "psf", "psf_wavelength", "pixel_scale",
    "ignore_unit", *MASK, *KEYS, "noise", "varying", "scale", "dx", "dy", "sampling",
)  # fmt: skip
FEATURE = ("flux", *STYLES, "blend", "psf", "sky", "limits", *MASK)

Rows = Mapping[str, dict[str, Any]]
"""Feature -> its table."""


def read(table: dict[str, Any], where: str, context: Context) -> LineMaps:
    """The line maps of a table.

    Raises:
        InputError: if anything in it or its files cannot be used.
    """
    rows = rows_of(table, where)
    with naming(where):
        made = emission_of(table, rows, where, context)
    maps = {name: map_of(table, row, f"{where}.features.{name}", context) for name, row in rows.items()}
    first = next(iter(maps.values()))
    grid = pixels_of(first, table, where, context)
    context.findings.extend(judge_pixels(grid, where))
    context = dataclasses.replace(context, data=first, grid=grid)
    for name, one in maps.items():
        context.findings.extend(require_same_pixels(first, one, f"{where}.features.{name}.flux"))
    factor = 1.0 if take(table, "ignore_unit", where, bool, False) else _factor(maps, where, grid, context)
    both = used_of(within(table, "mask"), where, first, context)
    used = {
        name: used_in(table, rows[name], f"{where}.features.{name}", one, both, context) for name, one in maps.items()
    }
    counted = {n: dataclasses.replace(one, values=np.where(used[n], one.values, np.nan)) for n, one in maps.items()}
    pairs = {name: pair(table, rows[name], where, name, one, context) for name, one in counted.items()}
    for name, (flux, _) in pairs.items():
        context.findings.extend(varied(f"{where}.features.{name}.flux", flux, np.isfinite(flux)))
    binned = in_bins(within(table, "bins"), where, first, context)
    with naming(where):
        found = line_maps(
            {name: factor * binned.flux(f"features.{name}.flux", flux) for name, (flux, _) in pairs.items()},
            made,
            sigma={name: factor * binned.flux(f"features.{name}.error", sigma) for name, (_, sigma) in pairs.items()},
            bins=binned.bins,
            psf=psfs_of(table, rows, made, where, context),
            grid=grid,
            light=take(table, "light", where, str, "Hbeta"),
            reddened=take(table, "reddened", where, bool, False),
            limits=_limits(table, rows, where, first, binned, context),
            sky={name: _sky(row, f"{where}.features.{name}", context) for name, row in rows.items() if "sky" in row},
            varying=take(table, "varying", where, list, []),
            **{key: value(table[key], f"{where}.{key}", context) for key in ("scale", "dx", "dy") if key in table},
        )
    return dataclasses.replace(found, noise=_noise(table, found, where, context))


def origin(table: dict[str, Any], where: str, context: Context) -> SkyCoord:
    """The middle of the first map; nowhere where the scale of its pixels is all that is known."""
    name, row = next(iter(rows_of(table, where).items()))
    return origin_of(map_of(table, row, f"{where}.features.{name}", context), "pixel_scale" in table)


def rows_of(
    table: dict[str, Any], where: str, common: Sequence[str] = COMMON, keys: Sequence[str] = FEATURE
) -> dict[str, dict[str, Any]]:
    """Feature -> its table, with the keys that are known."""
    require_known(table, where, common)
    given, place = child(table, "features", where, {})
    if not given:
        raise InputError(f"{place}: expected at least one line, found none; add e.g. [{place}.Hb].")
    require_names(given, place)
    rows = {name: child(given, name, place)[0] for name in given}
    for name, row in rows.items():
        require_known(row, f"{place}.{name}", keys)
        if "blend" in row:
            by_name(row, "blend", f"{place}.{name}")
    return rows


def emission_of(table: dict[str, Any], rows: Rows, where: str, context: Context) -> Emission | Photoionisation:
    """What the lines emit, by calibrations or by models."""
    if ("calibrations" in table) == ("models" in table):
        raise InputError(
            'calibrations: expected a set, or a list such as ["C20.R3"], or else models, the file of a grid, found '
            f'{"both" if "models" in table else "neither"}; name one, e.g. "C20".'
        )
    readers = KINDS["fluxes"][1]
    options = {key: readers[key](table, key, where) for key in EMISSION if key in table}
    contents = {name: row.get("blend", name) for name, row in rows.items()}
    if "models" not in table:
        return emission(contents, options.pop("calibrations"), **options)
    if other := [key for key in options if key not in DUST]:
        raise InputError(f"{other[0]}: expected none beside models, which tell what it would; leave it out.")
    path, _ = context.path(table["models"], f"{where}.models")
    return photoionisation(read_table(path), contents, **options)


def _factor(maps: Mapping[str, Map], where: str, grid: Any, context: Context) -> float:
    """What turns the fluxes, all in one unit, into those of pixels."""
    known = {name: one for name, one in maps.items() if parse_unit(one.unit) != units.dimensionless_unscaled}
    reference = next(iter(known), None)
    for name, one in known.items():
        if parse_unit(one.unit) != parse_unit(known[reference].unit):  # type: ignore[index]
            raise InputError(
                f"{where}.features: expected one unit of all fluxes, found BUNIT "
                f"'{known[reference].unit}' for {reference} and '{one.unit}' for {name}; convert one, or state "  # type: ignore[index]
                "ignore_unit = true where that keyword is wrong."
            )
    if reference is None:
        return 1.0
    factor, findings = per_pixel(known[reference], float(grid.pixel_area), f"{where}.features.{reference}.flux")
    context.findings.extend(findings)
    return factor


def _limits(
    table: dict[str, Any], rows: Rows, where: str, first: Map, binned: InBins, context: Context
) -> dict[str, np.ndarray]:
    """Feature -> True where its flux is an upper limit."""
    found = {}
    for name, row in rows.items():
        if "limits" in row:
            place = f"{where}.features.{name}"
            flags = context.beside(first, located(table, row, "limits", place), f"{place}.limits").values
            if not np.isin(np.nan_to_num(flags), (0, 1)).all():
                raise InputError(
                    f"{place}.limits: expected 1 where the flux is an upper limit and 0 elsewhere; correct it."
                )
            found[name] = binned.value(f"{place}.limits", np.nan_to_num(flags)) == 1
    return found


def _sky(row: dict[str, Any], where: str, context: Context) -> Sky:
    given, place = child(row, "sky", where)
    require_known(given, place, ("level", "x_slope", "y_slope"))
    return Sky(**{key: value(v, f"{place}.{key}", context) for key, v in given.items()})


def psfs_of(table: dict[str, Any], rows: Rows, made: Contents, where: str, context: Context) -> Any:
    """One PSF for all, or feature -> PSF where any has its own or their width depends on the wavelength."""
    own = {n: build(r["psf"], "psf", f"{where}.features.{n}.psf", context) for n, r in rows.items() if "psf" in r}
    if len(own) == len(rows):
        if "psf_wavelength" in table:
            raise InputError(
                f"{where}.psf_wavelength: expected one PSF for all lines, which it scales, found one for each; remove "
                "it."
            )
        return own
    if "psf" not in table:
        missing = next(name for name in rows if name not in own)
        raise InputError(f"psf: expected one for every line, found none for '{missing}'; add it, or one PSF for all.")
    common = build(table["psf"], "psf", f"{where}.psf", context)
    if "psf_wavelength" in table:
        return {**chromatic(table, common, made, where, context), **own}
    return {name: own.get(name, common) for name in rows} if own else common


def _noise(table: dict[str, Any], made: LineMaps, where: str, context: Context) -> Any:
    """The noise model around the errors that were read, which are of all lines together."""
    if "noise" not in table:
        return made.noise
    if any("limits" in row for row in table["features"].values()):
        raise InputError(f"{where}.noise: expected none beside limits, whose noise is Gaussian; leave one of both out.")
    known: Any = made.noise
    require_errors_once(table["noise"], f"{where}.noise")
    noise = built_around({"sigma": known.sigma}, table["noise"], f"{where}.noise", context)
    for leaf in jax.tree.leaves(noise, is_leaf=is_site):
        if not is_site(leaf) and np.shape(leaf) not in ((), np.shape(made.data)):
            raise InputError(f"{where}.noise: expected numbers, the same for all lines, found a map; leave it out.")
    return noise
