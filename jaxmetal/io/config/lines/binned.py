"""Fluxes of bins, each used once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.instrument.bins import Bins
from jaxmetal.io.bins import BinMap
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.pixels import bins_of
from jaxmetal.io.config.table import choose
from jaxmetal.io.fits import Map

MEANINGS = ("mean", "sum")
"""What the flux and error of a bin are: of its mean spaxel, or of all together."""


def bins_among(data: dict[str, Any], first: Map, used: np.ndarray | None, context: Context) -> BinMap:
    """The bin map of the table [data], on the pixels of its first map; spaxels that are not used are in no bin."""
    choose(data.get("bin_values"), "data.bin_values", MEANINGS)
    read = bins_of(data, "data", first, context)
    if used is None:
        return read
    return read._replace(bins=Bins(labels=np.where(used, read.bins.labels, -1), n=read.bins.n))


def by_bin(maps: np.ndarray, bins: Bins, names: tuple[str, ...]) -> np.ndarray:
    """One value per bin and feature, shape (n, features), of maps (ny, nx, features).

    Raises:
        InputError: if a map is not constant in each bin.
    """
    columns = [per_bin(f"features.{name}", maps[..., i], bins.labels, bins.n) for i, name in enumerate(names)]
    return np.stack(columns, axis=-1)


def in_bins(spectra: Spectra, bins: BinMap, data: dict[str, Any], flux: np.ndarray, sigma: np.ndarray) -> Spectra:
    """The spectra of bins; `data.bin_values` says whether fluxes and errors are a bin's mean spaxel or its sum."""
    made = dataclasses.replace(spectra, flux=flux, sigma=sigma, bins=bins.bins, ids=bins.ids)
    count = made.pixels[:, None]
    share = 1.0 / np.maximum(count, 1) if data["bin_values"] == "sum" else 1.0
    return dataclasses.replace(made, flux=np.where(count > 0, flux * share, np.nan), sigma=sigma * share)


def rows_of(bins: BinMap, ids: np.ndarray, path: Path, context: Context) -> np.ndarray:
    """The row of a table that each bin has, -1 for none.

    Args:
        bins: of the map.
        ids: of the rows.
        path: of the table.
        context: that takes what does not match.

    Raises:
        InputError: if ids are no whole numbers or not unique, or none is on the map.
    """
    names, first, count = np.unique(ids, return_index=True, return_counts=True)
    if ids.dtype.kind not in "iu" or (count > 1).any():
        found = f"{names[count > 1][0]} more than once" if (count > 1).any() else f"{ids[0]!r}"
        raise InputError(
            f"data.id: expected the whole number of one bin in each row of {path}, found {found}; correct the table."
        )
    row_of = dict(zip(names.tolist(), first.tolist(), strict=True))
    order = np.array([row_of.get(name, -1) for name in bins.ids.tolist()])
    missing, unused = int((order < 0).sum()), len(names) - int((order >= 0).sum())
    if missing == len(order):
        raise InputError(
            f"data.bins: expected bins of {path}, {names[0]} to {names[-1]}, found {bins.ids[0]} to {bins.ids[-1]}; "
            "use the bin map of this table."
        )
    if missing:
        context.findings.append(Finding("warning", f"{missing} of {len(order)} bins have no row in {path}."))
    if unused:
        context.findings.append(Finding("info", f"{unused} row(s) of {path} have no bin on the map and are left out."))
    return order
