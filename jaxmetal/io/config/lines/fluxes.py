"""Line fluxes of a configuration: FITS maps, maps of bins, tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.io.config.context import Context, in_file
from jaxmetal.io.config.lines.binned import bins_among, by_bin, in_bins, rows_of
from jaxmetal.io.config.lines.pairs import flux_and_sigma, style_of
from jaxmetal.io.config.pixels import pixels_of, used_of
from jaxmetal.io.config.table import naming, take
from jaxmetal.io.fits import Map
from jaxmetal.io.pixels import require_same_pixels
from jaxmetal.io.tables import column_units, read_table


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadFluxes:
    """What was read.

    Attributes:
        spectra: in the unit of the files, of the features that have a flux at all.
        first: the map whose pixels they have; None for a table alone.
        units: feature -> unit in its file, "" where there is none.
        wavelengths: feature -> rest wavelength in its header (RESTWAV), Angstrom in vacuum, where there is one.
    """

    spectra: Spectra
    first: Map | None
    units: dict[str, str]
    wavelengths: dict[str, float]


def of_maps(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> ReadFluxes:
    """From a map per feature.

    Args:
        rows: feature -> its table.
        data: the table [data].
        context: see `Context`.

    Raises:
        InputError: if files cannot be used or do not share their pixels.
    """
    maps = {
        name: context.map(located(row, "flux", data, name), f"features.{name}.flux", blank=True)
        for name, row in rows.items()
    }
    first = next(iter(maps.values()))
    grid = pixels_of(first, data, "data", context)
    for name, one in maps.items():
        context.findings.extend(require_same_pixels(first, one, f"features.{name}.flux"))
    used = used_of(data, "data", first, context)
    maps = {name: _masked(name, rows[name], data, one, used, context) for name, one in maps.items()}
    measured = _measured({name: one.values for name, one in maps.items()}, context)
    pairs = [_pair(name, rows[name], data, maps[name], context) for name in measured]
    flux, sigma = (np.stack(arrays, axis=-1) for arrays in zip(*pairs, strict=True))
    spectra = Spectra(features=measured, flux=flux, sigma=sigma, grid=grid)
    if "bins" in data:
        bins = bins_among(data, first, used, context)
        spectra = in_bins(spectra, bins, data, *(by_bin(one, bins.bins, measured) for one in (flux, sigma)))
    headers = {name: one.header.get("RESTWAV") for name, one in maps.items()}
    return ReadFluxes(
        spectra=spectra,
        first=first,
        units={name: maps[name].unit for name in measured},
        wavelengths={name: 1e10 * metres for name, metres in headers.items() if isinstance(metres, float)},
    )


def of_table(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> ReadFluxes:
    """From a table with a row per bin or spectrum; arguments as `of_maps`.

    Raises:
        InputError: if a column or the bin map is missing or cannot be used.
    """
    path, _ = context.path(data["table"], "data.table")
    for name, row in rows.items():
        if "mask" in row:
            raise InputError(
                f"features.{name}.mask: expected maps, found the table {path}; put NaN in its rows instead."
            )
    styles = {name: style_of(row, f"features.{name}") for name, row in rows.items()}
    columns = {
        name: [take(row, key, f"features.{name}", str) for key in ("flux", styles[name])] for name, row in rows.items()
    }
    key = take(data, "id", "data", str, None)
    wanted = [column for pair in columns.values() for column in pair]
    table = read_table(path, required=(*wanted, *([key] if key else [])))
    for column in wanted:
        if table[column].dtype.kind not in "iuf" or table[column].ndim != 1:
            raise InputError(
                f"The column {column} of {path} must hold numbers, but holds e.g. {table[column][0]!r}; correct it."
            )
    numbers = {column: table[column].astype(float)[:, None] for column in wanted}
    measured = _measured({name: numbers[pair[0]] for name, pair in columns.items()}, context)
    pairs = []
    for name in measured:
        flux, noise = columns[name]
        with naming(f"{path}, column {noise}"):
            pairs.append(flux_and_sigma(numbers[flux], numbers[noise], styles[name], f"features.{name}", context))
    flux, sigma = (np.concatenate(arrays, axis=-1) for arrays in zip(*pairs, strict=True))
    spectra = Spectra(features=measured, flux=flux, sigma=sigma, ids=table[key] if key else np.arange(len(flux)))
    labels = None
    if "bins" in data:
        if key is None:
            raise InputError("data.id: expected the column that names each row's bin, found none; add it.")
        labels = context.map(data["bins"], "data.bins")
        grid = pixels_of(labels, data, "data", context)
        bins = bins_among(data, labels, used_of(data, "data", labels, context), context)
        order = rows_of(bins, table[key], path, context)
        there = (order >= 0)[:, None]
        values = (np.where(there, one[order], np.nan) for one in (flux, sigma))
        spectra = in_bins(dataclasses.replace(spectra, grid=grid), bins, data, *values)
    units = column_units(path)
    found = {name: units.get(columns[name][0], "") for name in measured}
    return ReadFluxes(spectra=spectra, first=labels, units=found, wavelengths={})


def _measured(fluxes: Mapping[str, np.ndarray], context: Context) -> tuple[str, ...]:
    """The features with a flux somewhere; blank ones are left out, with a note.

    Raises:
        InputError: if all are blank.
    """
    blank = [name for name, values in fluxes.items() if not np.isfinite(values).any()]
    if len(blank) == len(fluxes):
        raise InputError(f"features: expected fluxes, found nothing but NaN for {', '.join(blank)}; check the files.")
    for name in blank:
        text = f"features.{name}: every flux is NaN, so that the line is left out; remove it, or check its file."
        context.findings.append(Finding("warning", text))
    return tuple(name for name in fluxes if name not in blank)


def _masked(
    name: str, row: dict[str, Any], data: dict[str, Any], flux: Map, used: np.ndarray | None, context: Context
) -> Map:
    """The map with NaN where the mask of all lines, or that of this one, leaves a spaxel out."""
    masks = [] if used is None else [used]
    if "mask" in row:
        own = used_of({**row, "mask": located(row, "mask", data, name)}, f"features.{name}", flux, context)
        masks.append(np.asarray(own))
    return dataclasses.replace(flux, values=np.where(np.all(masks, axis=0), flux.values, np.nan)) if masks else flux


def _pair(
    name: str, row: dict[str, Any], data: dict[str, Any], flux: Map, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    style = style_of(row, f"features.{name}")
    noise: Any = row[style]
    if not (isinstance(noise, float) or (type(noise) is int and "file" not in data)):
        noise = context.beside(flux, located(row, style, data, name), f"features.{name}.{style}")
    return flux_and_sigma(flux, noise, style, f"features.{name}", context)


def located(row: dict[str, Any], key: str, data: dict[str, Any], name: str) -> Any:
    """The file of a map; with `data.file`, names, numbers and [name, EXTVER] are extensions of that."""
    if key not in row:
        raise InputError(f"features.{name}: the key '{key}' is missing; name a file, or an extension of data.file.")
    return in_file(row[key], data.get("file"))
