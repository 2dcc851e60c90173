"""The final table of a run, from the rows of its chunks."""

from __future__ import annotations

from collections import Counter
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.units import Unit

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import write_whole
from jaxmetal.io.sample.columns import FAILED, GOOD, NAME, REDSHIFT, SUSPECT
from jaxmetal.run.rows import Entry, Row, read_rows
from jaxmetal.run.started import StartedRun, clear


def rows_of(run: StartedRun, number: int) -> list[Row] | None:
    """The rows of a chunk; None unless they are there, undamaged, of exactly its galaxies."""
    return read_rows(run.chunk_path(number), run.names(number))


def collect(run: StartedRun) -> str:
    """Writes results.ecsv, results.fits and summary.txt of a complete run, and returns the summary.

    Rows stand in the catalogue's order, whatever the order in which they were fitted, and begin with the catalogue's
    own columns that are no places of the configuration, and the redshift. Such a column whose name is that of a result
    (whatever its case, which FITS does not know) is called `catalogue.<name>`.

    Args:
        run: see `run.start`, `run.resume`.

    Raises:
        InputError: if chunks are still to be fitted, or the folder cannot be written.
    """
    catalogue, rows = run.catalogue, _all_rows(run)
    ordered = [rows[name] for name in catalogue.names]
    results: dict[str, Entry] = {}
    for column, entry in (cell for row in ordered for cell in row.items() if cell[0] != NAME):
        results.setdefault(column, entry)
    taken = {column.lower() for column in results}
    table = Table({NAME: catalogue.names}, meta={"options": run.plan.options})
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
    files: dict[str, str | bytes] = {"results.ecsv": ecsv.getvalue(), "results.fits": _fits(plain), "summary.txt": text}
    for name, content in files.items():
        write_whole(run.folder / name, content)
    clear(run)
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


def _all_rows(run: StartedRun) -> dict[str, Row]:
    """Name of each galaxy -> its row."""
    found = [rows_of(run, number) for number in range(len(run.plan.chunks))]
    left = [number for number, rows in enumerate(found) if rows is None]
    if left:
        raise InputError(
            f"The run in {run.folder} must be complete, but {len(left)} of {len(found)} chunks are still to be fitted; "
            "fit them first."
        )
    return {row[NAME].value: row for rows in found for row in rows or []}


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
    """The bare columns, with those units that FITS knows, others in their descriptions; and those that it cannot hold.

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
        values = [_ascii(str(cell)) for cell in column]
    elif column.dtype.kind == "b" and isinstance(column, MaskedColumn):
        values = column.filled(False)
    bare = MaskedColumn(values) if isinstance(values, MaskedColumn) else Column(values)
    known = _known_to_fits(column.unit)
    bare.unit, said = column.unit if known else None, "" if known or column.unit is None else f" [{column.unit}]"
    bare.description = _ascii(f"{column.description or ''}{said}") or None
    return bare


def _ascii(text: str) -> str:
    """A text as FITS can hold it: other letters by their numbers."""
    return text.encode("ascii", "backslashreplace").decode()


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
