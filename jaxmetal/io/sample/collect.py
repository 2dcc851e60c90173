"""The final table of a run, from the rows of its chunks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

from jaxmetal.io.folder import writing
from jaxmetal.io.sample.catalogue import NAME, Catalogue
from jaxmetal.io.sample.plan import Plan, write_whole
from jaxmetal.io.sample.rows import FAILED, GOOD, SUSPECT

CHUNKS, THUMBNAILS, POSTERIORS = "chunks", "thumbnails", "posteriors"
"""Folders of a run."""


def chunk_path(folder: Path, number: int) -> Path:
    """Where the rows of a chunk are."""
    return folder / CHUNKS / f"{number:05d}.json"


def missing(folder: Path, plan: Plan) -> list[int]:
    """Chunks that are still to be fitted."""
    return [number for number in range(len(plan.chunks)) if not chunk_path(folder, number).exists()]


def collect(folder: Path, plan: Plan, catalogue: Catalogue) -> str:
    """Writes results.ecsv, results.fits and summary.txt of a complete run, and returns the summary.

    Rows stand in the catalogue's order, whatever the order in which they were fitted, and begin with the catalogue's
    own columns that are no places of the configuration.
    """
    rows: dict[str, dict[str, Any]] = {}
    for number in range(len(plan.chunks)):
        rows |= {row[NAME]: row for row in json.loads(chunk_path(folder, number).read_text(encoding="utf-8"))}
    ordered = [rows[name] for name in catalogue.names]
    own = [column for column in catalogue.table.colnames if column not in (NAME, *catalogue.places)]
    table = Table({NAME: catalogue.names}, meta={"options": plan.options})
    for column in own:
        table[column] = catalogue.table[column]
    for column in dict.fromkeys(key for row in ordered for key in row if key != NAME):
        table[column if column not in own else f"{column}_fit"] = _column([row.get(column) for row in ordered])
    text = summary(ordered)
    with writing(folder):
        _whole(table, folder / "results.ecsv", "ascii.ecsv")
        _whole(table, folder / "results.fits", "fits")
        write_whole(folder / "summary.txt", text)
    return text


def summary(rows: list[dict[str, Any]]) -> str:
    """How many galaxies went well, and what happened to the others."""
    counts = Counter(row["status"] for row in rows)
    lines = [
        f"{len(rows)} galaxies: {counts[GOOD]} ok, {counts[SUSPECT]} suspect (see their message), "
        f"{counts[FAILED]} failed.",
        "Methods: " + ", ".join(f"{n} {m}" for m, n in Counter(r.get("method", "none") for r in rows).most_common()),
    ]
    for row in sorted((row for row in rows if row["status"] != GOOD), key=lambda row: row["status"]):
        lines.append(f"  {row['status']:8s} {row['name']}: {row['message']}")
    return "\n".join(lines) + "\n"


def _column(values: list[Any]) -> Any:
    """Numbers as a column where missing ones are NaN or masked, words as a column of text."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in known):
        return ["" if value is None else value for value in values]
    if any(isinstance(value, float) for value in known):
        return np.array([np.nan if value is None else value for value in values], float)
    absent = [value is None for value in values]
    return MaskedColumn([type(known[0])() if value is None else value for value in values], mask=absent)


def _whole(table: Table, path: Path, form: str) -> None:
    unfinished = path.with_name(f".{path.name}")
    plain = table.copy()
    if form == "fits":
        plain.meta = {}
        for name in [name for name in plain.colnames if plain[name].dtype.kind in "OU"]:
            # FITS tables hold ASCII alone.
            plain[name] = [str(cell).encode("ascii", "backslashreplace").decode() for cell in plain[name]]
    plain.write(unfinished, format=form, overwrite=True)
    unfinished.replace(path)
