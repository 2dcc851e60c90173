"""Runs notebooks; the numbers that tagged cells print must be those of their stored outputs.

    python notebooks/check.py notebooks/*.ipynb             (nothing is written; JAXMETAL_QUICK=1 for the reduced size)
    python notebooks/check.py --write notebooks/*.ipynb      (runs them and stores what they show)

A cell tagged "numbers" says in its metadata how far its numbers may be from the stored ones, as in {"tolerance":
{"rtol": 0.1, "atol": 0.0}}; pictures and the rest of the text need not match. Where it prints fewer, at the reduced
size, the first of those stored are compared; where nothing, for want of data that it needs, it is said.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

TAG = "numbers"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")
SECONDS = 900
"""Longest time of a cell."""


def main() -> int:
    """Runs the notebooks that are named; 1 if one fails or says other numbers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="store the outputs in place of comparing")
    arguments = parser.parse_args()
    trouble = [one for path in arguments.notebooks for one in checked(path, arguments.write)]
    print(*trouble, sep="\n", file=sys.stderr)
    return int(bool(trouble))


def checked(path: Path, write: bool) -> list[str]:
    """What is wrong with a notebook, one sentence each."""
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    try:
        NotebookClient(fresh, timeout=SECONDS, resources={"metadata": {"path": str(path.parent)}}).execute()
    except CellExecutionError as error:
        return [f"{path}: {error}"]
    if write:
        nbformat.write(tidied(fresh), path)
        return []
    pairs = zip(stored.cells, fresh.cells, strict=True)
    tagged = [(k, old, new) for k, (old, new) in enumerate(pairs) if TAG in old.metadata.get("tags", ())]
    return [f"{path}, cell {k}: {what}" for k, old, new in tagged for what in differing(old, new)]


def differing(old: Any, new: Any) -> list[str]:
    """What differs between the numbers of two runs of a cell by more than its tolerance."""
    before, now = ([float(number) for number in NUMBER.findall(text(cell))] for cell in (old, new))
    if not now:
        print("A cell prints no numbers here, and is not compared:", new.source.splitlines()[0])
        return []
    if len(before) < len(now):
        return [f"expected {len(before)} numbers, as stored, found {len(now)}; run with --write and look at them."]
    close = np.isclose(now, before[: len(now)], **old.metadata["tolerance"])
    pairs = zip(before, now, close, strict=False)
    return [f"expected {a:g}, found {b:g}." for a, b, good in pairs if not good]


def text(cell: Any) -> str:
    """What a cell prints."""
    return "\n".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")


def tidied(notebook: Any) -> Any:
    """Without times, counters and progress bars, so that a new run changes only what it shows."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
            for out in cell.outputs:
                if "execution_count" in out:
                    out.execution_count = None
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


if __name__ == "__main__":
    sys.exit(main())
