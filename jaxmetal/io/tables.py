"""Tables: text and FITS files in, ECSV out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import ascii as text
from astropy.io import fits
from astropy.table import Column, MaskedColumn, Table
from astropy.units import UnitsWarning

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import write_whole
from jaxmetal.io.ending import require_end
from jaxmetal.io.file import LONGEST_TEXT, require_file
from jaxmetal.io.spelling import nearest
from jaxmetal.numerics.quantities import has_unit, plain, unit_of

FITS = (".fits", ".fit", ".fits.gz", ".fit.gz")
"""Endings of FITS files."""

WRITTEN = (".ecsv", ".txt", ".dat")
"""Endings of files that may hold ECSV, a text."""

ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
"""How a letter that FITS does not know, its texts being ASCII, stands in a run's results.fits."""

LISTED = 8
"""Columns up to which a table's are all named where one is missing; of more, the nearest few."""


def read_table(path: str | Path, *, required: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Reads a table of columns: FITS, ECSV, comma- or space-separated, with or without a header or rulers.

    Args:
        path: FITS file (by its ending), of which the first table is read, or text file.
        required: columns that must be there.

    Returns:
        Column name -> values; missing numbers are NaN, truth values then numbers of 1 and 0, missing text is empty, and
        columns without a header are col1, col2, ...

    Raises:
        InputError: if the file is missing, is no table, or lacks a column.
    """
    table = _read(Path(path))
    absent = [name for name in required if name not in table.colnames]
    if absent:
        raise InputError(f"The table {path} must have a column {absent[0]}, but has {_found(absent[0], table)}")
    return {name: _plain(table[name]) for name in table.colnames}


def column_units(path: str | Path) -> dict[str, str]:
    """Units of the columns that state one, as those of ECSV and FITS do.

    Raises:
        InputError: as `read_table`.
    """
    table = _read(Path(path))
    return {name: str(table[name].unit) for name in table.colnames if table[name].unit is not None}


def write_table(
    path: str | Path,
    columns: Mapping[str, Any],
    *,
    units: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Writes columns as ECSV, which must not exist.

    Args:
        path: the file, .ecsv, .txt or .dat.
        columns: name -> values, all of one length; masked ones stay so.
        units: name -> unit, to which quantities are converted; these have their own otherwise.
        descriptions: name -> what the column is.
        meta: what else to keep with the table.

    Raises:
        InputError: if the file exists or cannot be written, has another ending, or a quantity has another dimension.
    """
    if (ending := Path(path).suffix.lower()) not in WRITTEN:
        raise InputError(
            f"The output file {path}: expected an ending of {', '.join(WRITTEN)}, as the table is written as ECSV, "
            f"found {ending or 'none'}; rename it."
        )
    if Path(path).exists():
        raise InputError(f"The output file {path} exists already; choose another name or remove it.")
    made = StringIO()
    as_table(columns, units=units, descriptions=descriptions, meta=meta).write(made, format="ascii.ecsv")
    write_whole(path, made.getvalue())


def as_table(
    columns: Mapping[str, Any],
    *,
    units: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Table:
    """Columns as a table of astropy; arguments as of `write_table`.

    Raises:
        InputError: if a quantity has another dimension than the unit that is stated.
    """
    made = {name: _column(name, values, (units or {}).get(name)) for name, values in columns.items()}
    table = Table(made, meta=dict(meta or {}))
    for name in table.colnames:
        table[name].description = (descriptions or {}).get(name) or None
    return table


def _column(name: str, values: Any, stated: str | None) -> Column:
    """A column in the unit that is stated, or else its own; what is masked stays so."""
    masked = np.ma.isMaskedArray(values) or hasattr(values, "unmasked")  # numpy's, and astropy's
    mask = np.array(values.mask) if masked else np.zeros(())
    if getattr(values, "unit", None) is not None and not has_unit(values):  # a column of another table
        values = values.quantity
    unit = stated or unit_of(values)
    values = plain(name, values, unit)
    bare = np.asarray(getattr(values, "unmasked", values))
    unit = unit if str(unit) else None
    return MaskedColumn(bare, mask=mask, unit=unit) if mask.any() else Column(bare, unit=unit)


def _read(path: Path) -> Table:
    in_fits = path.name.lower().endswith(FITS)
    require_file(path, "The table", most=None if in_fits else LONGEST_TEXT)
    try:
        if in_fits:
            return _read_fits(path)
        if path.suffix == ".ecsv":
            return Table.read(path, format="ascii.ecsv")
        return text.read(path.read_text(encoding="utf-8-sig"), **_layout(path))
    except InputError:
        raise
    except Exception as error:  # astropy and yaml raise many kinds for what is no table
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The file {path} cannot be read as a table ({reason}); check the file.") from None


def _read_fits(path: Path) -> Table:
    require_end(path, "The table")
    with fits.open(path, memmap=False) as file, warnings.catch_warnings():
        kinds = (fits.BinTableHDU, fits.TableHDU)
        place = next((number for number, hdu in enumerate(file) if isinstance(hdu, kinds)), None)
        if place is None:
            raise InputError(f"The FITS file {path} must hold a table, but has images only; name another file.")
        warnings.simplefilter("ignore", UnitsWarning)  # a unit is a label here, of whatever standard
        table = Table.read(file, hdu=place, format="fits", character_as_bytes=False, mask_invalid=False)
    for name in table.colnames:
        if table[name].dtype.kind == "U" and table[name].ndim == 1:
            table[name] = [ESCAPE.sub(lambda found: chr(int(found[0][2:], 16)), cell) for cell in table[name].tolist()]
    return table


def _found(wanted: str, table: Table) -> str:
    """The columns that there are instead, and what to do."""
    if len(table.colnames) <= LISTED:
        return f"{', '.join(table.colnames) or 'none'}; name the columns so."
    near = [f"'{name}'" for name in nearest(wanted, table.colnames, count=3)]
    return f"{len(table.colnames)} others; did you mean {', '.join(near[:-1])} or {near[-1]}?"


def _layout(path: Path) -> dict[str, Any]:
    """How the columns are marked: a ruler of dashes under the header, or whatever astropy guesses."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    ruled = len(lines) > 1 and set(lines[1].split()) and set(lines[1]) <= {"-", " "}
    return {"format": "fixed_width_two_line", "guess": False} if ruled else {}


def _plain(column: Any) -> np.ndarray:
    holed, kind = np.any(getattr(column, "mask", False)), column.dtype.kind
    if holed and kind in "iufb":
        column = column.astype(float).filled(np.nan)
    elif holed and kind == "U":
        column = column.filled("")
    values = np.asarray(column)
    return values.astype(values.dtype.newbyteorder("="), copy=False)  # JAX knows no other order
