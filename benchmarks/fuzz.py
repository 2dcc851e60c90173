"""Working input spoilt 2,000 times, one change each: what every command says of it.

    python benchmarks/fuzz.py [mutations, default 2000] [fits, default 0]

Configurations, FITS files, catalogues, tables of results and options are changed by a seed that is fixed in
`fuzz_worker.py`: bytes flipped or cut, entries of another type, absurd numbers, names that no file or formula can have,
keys renamed, cards of headers. `check`, `lines`, `batch --plan`, `population` and `simulate` then run on them, in
processes that import once. Nothing may end in a traceback, run for more than 20 s or take more than 2 GiB, write
outside its folder, or say more than a few lines; of what cannot be right (see `fuzz_mutations.py`), all must be refused
or at least reported. What a process holds grows with what it has compiled; the commands that took most are run once
more, each in a process of its own. Fits: `fit` on as many of the configurations that `check` accepts, 120 s each.

Stopped at any moment, it goes on where it was. Writes results/fuzz.json and results/fuzz_fits.json, a line for each
mutation in their .jsonl.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import fuzz_inputs
import resumable

LIMITS = {None: 20.0, "fit": 120.0}
"""Seconds of a command, and of `fit`."""
WARM = 100.0
"""More for the first commands of a process, which compile."""
FIRST = 60
"""Commands after which a process has compiled what it needs."""
SHARED = 20.0
"""Times its own seconds that a process may take on a machine that others use."""
MOST = 150
"""Mutations of a process: each program that it compiles takes some of its memory maps."""
GIB = 2.0
"""Of a process that runs one command."""
ALONE = 16
"""Commands whose memory is measured so."""


class Worker:
    """A process that runs mutations, replaced where it died or was stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process, self.done = folder, self._started(folder), 0

    @staticmethod
    def _started(folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(Path(__file__).with_name("fuzz_worker.py")), str(folder)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )

    def ask(self, number: int, command: str | None) -> dict[str, Any]:
        """What came of a mutation; a process that says nothing in time is stopped."""
        if self.done >= MOST:
            self.stop()
        if self.process.poll() is not None:
            self.process, self.done = self._started(self.folder), 0
        self.process.stdin.write(json.dumps([number, command]) + "\n")
        limit = LIMITS[command] + (0.0 if self.done > FIRST else WARM)
        line = self._answer(limit)
        self.done += 1
        if line:
            return json.loads(line)
        died = self.process.poll() is not None
        self.stop()
        return {"code": "died" if died else "endless", "mutation": str(number), "seconds": limit, "wrong": False}

    def _answer(self, limit: float) -> str:
        """Its line, "" if it died or took too long: by its own time where other processes share the machine."""
        began, used = time.monotonic(), self._used()
        while not select.select([self.process.stdout], [], [], 1.0)[0]:
            if self._used() - used > limit or time.monotonic() - began > SHARED * limit:
                return ""
        return self.process.stdout.readline()

    def _used(self) -> float:
        """Seconds that its threads have computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def alone(self, number: int) -> dict[str, Any]:
        """What came of a mutation; the process ends."""
        try:
            return self.ask(number, None)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()


def main(mutations: int = 2000, fits: int = 0) -> None:
    """Runs what is not stored yet, and summarises."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "inputs").mkdir()
        (folder / "commands.json").write_text(json.dumps(fuzz_inputs.write(folder / "inputs")))
        worker = Worker(folder)
        try:
            rows = resumable.run("fuzz", list(range(mutations)), lambda number: worker.ask(number, None))
            alone = resumable.run("fuzz_alone", greedy(rows), lambda number: Worker(folder).alone(number))
            resumable.write("fuzz", summary(rows, alone))
            if fits:
                taken = [
                    row["key"]
                    for row in rows
                    if row["code"] == 0 and row["input"] in ("scene", "recipe", "lens", "bins")
                ]
                fitted = resumable.run("fuzz_fits", taken[:fits], lambda number: worker.ask(number, "fit"))
                resumable.write("fuzz_fits", summary(fitted, [], "fit"))
        finally:
            worker.stop()


READ = {"lines": ("lines.fits", "lines.toml", "lines.ecsv"), "catalogue": ("fit.toml", "sample.ecsv")}
"""Working input -> files that decide over the whole command."""


def harmless(row: dict[str, Any]) -> str:
    """Why nonsense does no harm that nothing is said of; "" where it does."""
    file = row["mutation"].partition(":")[0]
    if row["input"] in READ and file not in READ[row["input"]]:
        plan = "the galaxies' own, which their rows will say, or not read, as the catalogue names others"
        return plan if row["input"] == "catalogue" else "not read by the command"
    return "a column of the catalogue stands in its place" if row["input"] == "catalogue" else ""


def greedy(rows: list[dict[str, Any]]) -> list[int]:
    """The numbers of those that took most memory beyond what their process had."""
    took = {row["key"]: row["gib"] - before["gib"] for before, row in pairwise(row for row in rows if "gib" in row)}
    return sorted(took, key=lambda key: took[key])[-ALONE:]


def summary(rows: list[dict[str, Any]], alone: list[dict[str, Any]], command: str | None = None) -> dict[str, Any]:
    """Counts, and every row that broke a rule."""
    accepted = [row for row in rows if row["wrong"] and row["code"] == 0 and not row["reported"]]
    broken = {
        "tracebacks": [row for row in rows if row["code"] == "traceback"],
        "died or endless": [row for row in rows if row["code"] in ("died", "endless")],
        "over the time": [row for row in rows if row.get("cpu", 0.0) > LIMITS[command]],
        "over 2 GiB": [row for row in alone if row["gib"] > GIB],
        "wrote outside": [row for row in rows if row.get("outside")],
        "long messages": [row for row in rows if row.get("length", 0) > 2000],
        "nonsense accepted": [row for row in accepted if not harmless(row)],
    }
    return {
        "mutations": len(rows),
        "outcomes": dict(Counter(str(row["code"]) for row in rows)),
        "largest GiB of a process with many commands": max(row.get("gib", 0.0) for row in rows),
        "largest GiB of one command alone": max((row["gib"] for row in alone), default=None),
        "longest CPU s": max(row.get("cpu", 0.0) for row in rows),
        "median CPU s": sorted(row.get("cpu", 0.0) for row in rows)[len(rows) // 2],
        **{name: len(found) for name, found in broken.items()},
        "nonsense accepted without harm": dict(Counter(filter(None, map(harmless, accepted)))),
        "cases": {
            name: [f"{row['key']} {row.get('input')} {row['mutation']}" for row in found]
            for name, found in (*broken.items(), ("nonsense accepted without harm", list(filter(harmless, accepted))))
        },
    }


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main(*map(int, sys.argv[1:]))
