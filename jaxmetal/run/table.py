"""The final table of a run, from the rows of its chunks."""

from __future__ import annotations

from collections import Counter
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.units import Unit

from jaxmetal.io.folder import writing
from jaxmetal.io.sample.columns import FAILED, GOOD, NAME, POSTERIORS, REDSHIFT, SUSPECT
from jaxmetal.run.catalogue import Catalogue
from jaxmetal.run.plan import RunPlan, write_whole
from jaxmetal.run.rows import Entry, Row, read_rows

CHUNKS, THUMBNAILS = "chunks", "thumbnails"
"""Folders of a run."""


def chunk_path(folder: Path, number: int) -> Path:
    """Where the rows of a chunk are."""
    return folder / CHUNKS / f"{number:05d}.json"


def posterior_path(folder: Path, name: str) -> Path:
    """Where the draws of a galaxy are, if they are kept."""
    return folder / POSTERIORS / f"{name}.nc"


def missing(folder: Path, plan: RunPlan, catalogue: Catalogue) -> list[int]:
    """Chunks that are still to be fitted: without rows, with damaged ones, or without a posterior to be kept."""
    return [number for number in range(len(plan.chunks)) if not _complete(folder, plan, catalogue, number)]


def unread(folder: Path, plan: RunPlan, catalogue: Catalogue) -> list[int]:
    """Chunks with galaxies that could not be read: their files may have been mended since."""
    # They have chunks of their own: nothing was known that would group them.
    numbers = [number for number, rows in enumerate(plan.chunks) if str(rows[0]) in plan.unreadable]
    found = {number: _rows(folder, plan, catalogue, number) or [] for number in numbers}
    return [number for number, rows in found.items() if any(row["status"].value == FAILED for row in rows)]


def collect(folder: Path, plan: RunPlan, catalogue: Catalogue) -> str:
    """Writes results.ecsv, results.fits and summary.txt of a complete run, and returns the summary.

    Rows stand in the catalogue's order, whatever the order in which they were fitted, and begin with the catalogue's
    own columns that are no places of the configuration, and the redshift. Such a column whose name is that of a result
    (whatever its case, which FITS does not know) is called `catalogue.<name>`.
    """
    rows: dict[str, Row] = {}
    for number in range(len(plan.chunks)):
        rows |= {row[NAME].value: row for row in _rows(folder, plan, catalogue, number) or []}
    ordered = [rows[name] for name in catalogue.names]
    results: dict[str, Entry] = {}
    for column, entry in (cell for row in ordered for cell in row.items() if cell[0] != NAME):
        results.setdefault(column, entry)
    taken = {column.lower() for column in results}
    table = Table({NAME: catalogue.names}, meta={"options": plan.options})
    for column in catalogue.table.colnames:
        if column == REDSHIFT or column not in (NAME, *catalogue.places):
            table[f"catalogue.{column}" if column.lower() in taken else column] = catalogue.table[column]
    for column, entry in results.items():
        table[column] = _column([row[column].value if column in row else None for row in ordered])
        table[column].unit, table[column].description = entry.unit or None, entry.description
    text = summary(ordered)
    plain, lost = _for_fits(table)
    if lost:
        text += f"results.fits lacks {', '.join(lost)}, which FITS cannot hold; results.ecsv has all columns.\n"
    ecsv = StringIO()
    table.write(ecsv, format="ascii.ecsv")
    with writing(folder):
        write_whole(folder / "results.ecsv", ecsv.getvalue())
        write_whole(folder / "results.fits", _fits(plain))
        write_whole(folder / "summary.txt", text)
    return text


def summary(rows: list[Row]) -> str:
    """How many galaxies went well, and what happened to the others."""
    counts = Counter(row["status"].value for row in rows)
    methods = Counter(row["method"].value if "method" in row else "none" for row in rows)
    flat = sum(any(entry.value is False for column, entry in row.items() if "_resolved" in column) for row in rows)
    lines = [
        f"{len(rows)} galaxies: {counts[GOOD]} ok, {counts[SUSPECT]} suspect (see their message), "
        f"{counts[FAILED]} failed.",
        "Methods: " + ", ".join(f"{n} {m}" for m, n in methods.most_common()),
    ]
    if flat:
        lines.append(f"{flat} with a gradient that is not resolved (see the columns _narrowed and _resolved).")
    for row in sorted((row for row in rows if row["status"].value != GOOD), key=lambda row: row["status"].value):
        lines.append(f"  {row['status'].value:8s} {row['name'].value}: {row['message'].value}")
    return "\n".join(lines) + "\n"


def _complete(folder: Path, plan: RunPlan, catalogue: Catalogue, number: int) -> bool:
    rows = _rows(folder, plan, catalogue, number)
    if rows is None or not plan.options["posteriors"]:
        return rows is not None
    return all(posterior_path(folder, row[NAME].value).is_file() for row in rows if row["status"].value != FAILED)


def _rows(folder: Path, plan: RunPlan, catalogue: Catalogue, number: int) -> list[Row] | None:
    return read_rows(chunk_path(folder, number), [catalogue.names[i] for i in plan.chunks[number]])


def _column(values: list[Any]) -> Any:
    """Numbers as a column where missing ones are NaN or masked, words as a column of text."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in known):
        return ["" if value is None else value for value in values]
    if any(isinstance(value, float) for value in known):
        return np.array([np.nan if value is None else value for value in values], float)
    absent = [value is None for value in values]
    return MaskedColumn([type(known[0])() if value is None else value for value in values], mask=absent)


def _for_fits(table: Table) -> tuple[Table, list[str]]:
    """The bare columns, with those units that FITS knows, and the names of those that it cannot hold.

    Text is ASCII, and what is neither true nor false is False: FITS knows no missing truth values.
    """
    plain, lost = Table(), []
    for name in table.colnames:
        try:
            column = _bare(table[name])
            _fits(Table({name: column}))
        except Exception:  # coordinates, times, objects, long or foreign names: each fails in its own way
            lost.append(name)
        else:
            plain[name] = column
    return plain, lost


def _bare(column: Any) -> Any:
    values = column
    if column.dtype.kind in "OU":
        values = [str(cell).encode("ascii", "backslashreplace").decode() for cell in column]
    elif column.dtype.kind == "b" and isinstance(column, MaskedColumn):
        values = column.filled(False)
    bare = MaskedColumn(values) if isinstance(values, MaskedColumn) else Column(values)
    bare.description, bare.unit = None, column.unit if _known_to_fits(column.unit) else None
    return bare


def _fits(table: Table) -> bytes:
    made = BytesIO()
    table.write(made, format="fits")
    return made.getvalue()


def _known_to_fits(unit: Any) -> bool:
    try:
        Unit(str(unit), format="fits")
    except ValueError:
        return False
    return True
