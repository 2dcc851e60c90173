"""The final table of a run, from the rows of its chunks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table
from astropy.units import Unit

from jaxmetal.io.folder import writing
from jaxmetal.io.sample.catalogue import NAME, Catalogue
from jaxmetal.io.sample.plan import Plan, write_whole
from jaxmetal.io.sample.rows import FAILED, GOOD, SUSPECT, Entry, Row, read_rows

CHUNKS, THUMBNAILS, POSTERIORS = "chunks", "thumbnails", "posteriors"
"""Folders of a run."""

REDSHIFT = "galaxy.z"
"""The one place of the configuration that is carried along: populations need it."""


def chunk_path(folder: Path, number: int) -> Path:
    """Where the rows of a chunk are."""
    return folder / CHUNKS / f"{number:05d}.json"


def missing(folder: Path, plan: Plan, catalogue: Catalogue) -> list[int]:
    """Chunks that are still to be fitted, those with a damaged file included."""
    return [number for number in range(len(plan.chunks)) if _rows(folder, plan, catalogue, number) is None]


def collect(folder: Path, plan: Plan, catalogue: Catalogue) -> str:
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
    with writing(folder):
        _write_ecsv(table, folder / "results.ecsv")
        _write_fits(table, folder / "results.fits")
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


def _rows(folder: Path, plan: Plan, catalogue: Catalogue, number: int) -> list[Row] | None:
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


def _write_ecsv(table: Table, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}")
    table.write(unfinished, format="ascii.ecsv", overwrite=True)
    unfinished.replace(path)


def _write_fits(table: Table, path: Path) -> None:
    """The bare columns, with those units that FITS knows; text is ASCII."""
    plain, unfinished = table.copy(), path.with_name(f".{path.name}")
    plain.meta = {}
    for name in plain.colnames:
        if plain[name].dtype.kind in "OU":
            plain[name] = [str(cell).encode("ascii", "backslashreplace").decode() for cell in plain[name]]
        plain[name].description = None
        if not _known_to_fits(plain[name].unit):
            plain[name].unit = None
    plain.write(unfinished, format="fits", overwrite=True)
    unfinished.replace(path)


def _known_to_fits(unit: Any) -> bool:
    try:
        Unit(str(unit), format="fits")
    except ValueError:
        return False
    return True
