"""Maps of bins (Voronoi, powerbin, annuli, ...) and the values of binned maps."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxmetal.edge.bins import numbered, per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.instrument.bins import Bins
from jaxmetal.io.ending import COMPRESSED
from jaxmetal.io.file import LONGEST_TEXT, require_file
from jaxmetal.io.fits import Hdu, Map, read_map
from jaxmetal.io.pixels import require_same_pixels

FITS_STARTS = (b"SIMPLE", b"PK\x03\x04", *COMPRESSED)
"""First bytes of a FITS file, plain and compressed."""


class BinMap(NamedTuple):
    """Bins and what they were called.

    Attributes:
        bins: labelled 0 ... n - 1.
        ids: the file's name of each bin, ascending, shape (n,).
        findings: what is worth knowing.
    """

    bins: Bins
    ids: np.ndarray
    findings: tuple[Finding, ...]


def read_bins(
    path: str | Path,
    *,
    shape: tuple[int, int] | None = None,
    none: int = -1,
    hdu: Hdu = None,
    data: Map | None = None,
) -> BinMap:
    """Reads which bin each pixel belongs to.

    Args:
        path: FITS map of bin ids, or a text table with columns x, y (pixel indices from 0) and bin id.
        shape: (ny, nx) of the data; needed for a table.
        none: the id of pixels in no bin; negative ids and NaN always mean that.
        hdu: name or number of the extension.
        data: the map that was binned, instead of its shape; a FITS map must have its pixels.

    Raises:
        InputError: if ids are no integers, no pixel is in a bin, or the shape or the pixels are not those of the data.
    """
    require_file(path, "The bin map")
    with open(path, "rb") as file:
        is_fits = file.read(max(map(len, FITS_STARTS))).startswith(FITS_STARTS)
    if is_fits:
        image = read_map(path, hdu, what="bin map")
        values, found = image.values, () if data is None else require_same_pixels(data, image, "The bin map")
    else:
        require_file(path, "The bin table", most=LONGEST_TEXT)
        values, found = _read_table(path, shape if data is None else data.values.shape), ()  # type: ignore[arg-type]
    if shape is not None and values.shape != tuple(shape):
        raise InputError(
            f"The bin map {path} must have the data's shape {tuple(shape)}, but has {values.shape}; bin these data."
        )
    bins, ids, more = _relabel(path, np.where(np.isfinite(values), values, none), none)
    return BinMap(bins, ids, (*found, *more))


def bin_values(values: np.ndarray, bins: Bins) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """One value per bin of a map that was measured in bins, shape (n,), and what is worth knowing.

    NaN for a bin without a finite pixel.

    Args:
        values: shape (ny, nx), constant within each bin (see `edge.bins.per_bin`).
        bins: of the same shape.

    Raises:
        InputError: if the shapes differ, or the map varies within a bin.
    """
    labels, values = np.asarray(bins.labels), np.asarray(values, float)
    found = per_bin("map", values, labels, bins.n)
    missing = int(np.sum((labels >= 0) & ~np.isfinite(values))) if values.ndim == 2 else 0
    if not missing:
        return found, ()
    empty = f"{np.isnan(found).sum()} of {bins.n} bins have no value"
    text = f"The map holds no number in {missing} binned pixels and {empty}; check that the bins belong to this map."
    return found, (Finding("warning", text),)


def _read_table(path: str | Path, shape: tuple[int, int] | None) -> np.ndarray:
    """The map of a text table of x, y and bin id."""
    if shape is None:
        raise InputError(f"The bin table {path} does not say how large the map is; give the data's shape (ny, nx).")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data", UserWarning)
            table = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".;")
        raise InputError(f"The bin map {path} is neither FITS nor a table of numbers ({reason}); correct it.") from None
    if table.shape[1] != 3 or not len(table):
        raise InputError(
            f"The bin table {path} must have rows of x, y and bin id, but has shape {table.shape}; correct it."
        )
    ny, nx = shape
    inside = np.isin(table[:, 0], np.arange(nx)) & np.isin(table[:, 1], np.arange(ny))
    if not inside.all():
        first = tuple(table[~inside][0, :2].tolist())
        raise InputError(
            f"The bin table {path} must hold pixel indices x, y from 0 within shape {tuple(shape)}, but "
            f"{(~inside).sum()} rows do not, e.g. {first}; count pixels from 0 and do not give sky positions."
        )
    x, y = table[:, :2].astype(int).T
    repeated = len(x) - len(np.unique(y * nx + x))
    if repeated:
        raise InputError(f"The bin table {path} must name each pixel once, but repeats {repeated}; remove the repeats.")
    values = np.full(shape, np.nan)
    values[y, x] = table[:, 2]
    return values


def _relabel(path: str | Path, values: np.ndarray, none: int) -> BinMap:
    labels, ids = numbered(f"The bin map {path}", np.where(values == none, -1.0, values))
    return BinMap(Bins(labels=labels, n=len(ids)), ids, tuple(_missing_ids(path, ids)))


def _missing_ids(path: str | Path, ids: np.ndarray) -> list[Finding]:
    """Ids without pixels: a table by bin has a row for them, the map has not."""
    gaps = int(ids[-1] - ids[0] + 1 - len(ids))
    if not gaps:
        return []
    text = f"The bin map {path} has {len(ids)} bins with ids {ids[0]} to {ids[-1]}, {gaps} of which have no pixel"
    return [Finding("info", f"{text}; match tables by id, not by row.")]
