"""Draws of one fit in separate processes, with one thread and with two, and other hash seeds.

    python benchmarks/same_draws.py

Each method in four processes of their own. Bar: the same draws, bit by bit, from processes that differ in nothing or in
their hash seed; with another number of threads medians within their Monte Carlo error, and, stated, whether they are
the same bits. Writes results/same_draws.json.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from commands import jaxmetal, said, write_inputs
from resumable import write

CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "one thread": (["--threads", "1"], {"PYTHONHASHSEED": "1"}),
    "again": (["--threads", "1"], {"PYTHONHASHSEED": "1"}),
    "another hash seed": (["--threads", "1"], {"PYTHONHASHSEED": "2"}),
    "two threads": (["--threads", "2"], {"PYTHONHASHSEED": "1"}),
}
METHODS = ("laplace", "nuts")


def draws(folder: Path) -> dict[str, np.ndarray]:
    """Of every parameter."""
    with h5py.File(folder / "posterior.nc") as file:
        return {name: np.asarray(one) for name, one in file["posterior"].items() if name not in ("chain", "draw")}


def compared(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, Any]:
    """Whether draws are the same, and how far draws and medians are apart in standard deviations."""
    apart = [np.max(np.abs(one[name] - other[name])) / np.std(one[name]) for name in one]
    middle = [abs(np.median(one[name]) - np.median(other[name])) / np.std(one[name]) for name in one]
    same = all(np.array_equal(one[name], other[name]) for name in one)
    return {"same bits": same, "largest difference, sd": max(apart), "of medians, sd": max(middle)}


def main() -> None:
    """All methods and cases."""
    content: dict[str, Any] = {}
    for method in METHODS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            command = [*write_inputs(folder)["fit"], "--method", method]
            found = {}
            for case, (arguments, env) in CASES.items():
                where = folder / case.replace(" ", "_")
                assert said(jaxmetal([*command, *arguments, "-o", str(where)], env=env))["rc"] == 0
                found[case] = draws(where)
        first = found.pop("one thread")
        content |= {f"{method}, {case}": compared(first, one) for case, one in found.items()}
        write("same_draws", content)


if __name__ == "__main__":
    main()
