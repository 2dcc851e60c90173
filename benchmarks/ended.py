"""`fit` and `lines` ended at random moments, two runs in one folder, and places and outputs that cannot be written.

    python benchmarks/ended.py [ends of each command, default 12] [places] [together] [ends]

Ends alternate between SIGKILL, SIGINT and SIGTERM, at moments drawn with seed 1 between 5 and 105 % of the time that an
undisturbed command takes. Bar of each: the folder of results is absent or whole; the command then run again has the
same table, byte for byte, as the undisturbed one, and leaves nothing else behind. Ctrl-C during the chains of `fit` may
write what there was. Writes results/ended_<part>.json.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from commands import jaxmetal, said, write_inputs
from resumable import run, write

TABLES = {"fit": "parameters.ecsv", "lines": "spectra.ecsv"}
SIGNALS = ("SIGKILL", "SIGINT", "SIGTERM")
EARLY = (-signal.SIGINT, -signal.SIGTERM)
"""Exit codes of an interpreter that was ended before it read our first line; Ctrl-C is a traceback there."""

NOBODY = "65534"
"""A user who is not root, for whom a folder can be read-only."""


def whole(command: str, folder: Path) -> bool:
    """Whether a folder of results is there, with all its files."""
    return all((folder / name).is_file() for name in (TABLES[command], "summary.txt", "provenance.json"))


def hidden(folder: Path) -> list[str]:
    """What is left behind beside results."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("."))


def listening() -> None:
    """As in a terminal: shells start what runs in the background deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(command: str, arguments: list[str], number: int) -> dict[str, Any]:
    """One end at a random moment, and the command run again."""
    random = np.random.default_rng([1, number, len(command)])
    name = SIGNALS[number % len(SIGNALS)]
    with tempfile.TemporaryDirectory() as place:
        folder, seconds, text = Path(place), *undisturbed(command, arguments)
        moment = random.uniform(0.05, 1.05) * seconds
        process = jaxmetal([*arguments, "-o", str(folder / "out")], preexec_fn=listening)
        time.sleep(moment)
        process.send_signal(getattr(signal, name))
        end = said(process)
        there, left = (folder / "out").exists(), hidden(folder)
        sound = whole(command, folder / "out") if there else True
        again = said(jaxmetal([*arguments, "-o", str(folder / "out"), "--overwrite"]))
        same = (folder / "out" / TABLES[command]).read_text() == text
        return {
            "signal": name,
            "after s": moment,
            "of s": seconds,
            **end,
            "results there": there,
            "absent or whole": sound,
            "left hidden": left,
            "again": again["rc"],
            "same table again": same,
            "hidden after that": hidden(folder),
        }


KNOWN: dict[str, tuple[float, str]] = {}


def undisturbed(command: str, arguments: list[str]) -> tuple[float, str]:
    """Seconds and table of a command that nobody ends; programs are compiled before."""
    if command not in KNOWN:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as place:
                began = time.perf_counter()
                assert said(jaxmetal([*arguments, "-o", f"{place}/out"]))["rc"] == 0
                KNOWN[command] = time.perf_counter() - began, (Path(place) / "out" / TABLES[command]).read_text()
    return KNOWN[command]


def together(command: str, arguments: list[str]) -> dict[str, Any]:
    """Two of a command, started at once into one folder."""
    _, text = undisturbed(command, arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        both = [said(one) for one in [jaxmetal([*arguments, "-o", str(folder / "out")]) for _ in range(2)]]
        return {
            "codes": sorted(one["rc"] for one in both),
            "said": [one["said"].replace(place, "...") for one in both if one["rc"]],
            "tracebacks": sum(one["traceback"] for one in both),
            "same table": (folder / "out" / TABLES[command]).read_text() == text,
            "hidden": hidden(folder),
        }


def batches(arguments: list[str]) -> dict[str, Any]:
    """A batch that is planned, then resumed by two processes at once, and one that was started twice at once."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole, shared, twice = (str(folder / name) for name in ("whole", "shared", "twice"))
        assert said(jaxmetal([*arguments, "-o", whole]))["rc"] == 0
        assert said(jaxmetal([*arguments, "-o", shared, "--plan"]))["rc"] == 0
        resumed = [said(one) for one in [jaxmetal([*arguments, "-o", shared, "--resume"]) for _ in range(2)]]
        started = [said(one) for one in [jaxmetal([*arguments, "-o", twice]) for _ in range(2)]]
        tables = [Path(one, "results.ecsv").read_text() for one in (whole, shared, twice)]
        return {
            "codes resumed": [one["rc"] for one in resumed],
            "codes started": sorted(one["rc"] for one in started),
            "said": [one["said"].replace(place, "...") for one in (*resumed, *started) if one["rc"]],
            "same tables": len(set(tables)) == 1,
            "hidden": [name for one in (shared, twice) for name in hidden(Path(one))] + hidden(folder),
        }


def places(inputs: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Folders and outputs that cannot be written; bar: code 2 (0 for a closed output), one sentence, nothing left."""
    found: dict[str, dict[str, Any]] = {}

    def tried(name: str, arguments: list[str], **options: Any) -> None:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            folder.chmod(0o777 if name != "read-only folder" else 0o555)
            end = said(jaxmetal([*arguments, "-o", str(folder / "out")], **options))
            end["said"] = end["said"].replace(place, "...")
            found[name] = {**end, "left": sorted(entry.name for entry in folder.iterdir())}

    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    tried("read-only folder", inputs["lines"], before=as_nobody, env={"HOME": "/nonexistent"})
    for blocks in (4, 40):
        limited = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "-"]
        tried(f"lines, files of {blocks} KiB", inputs["lines"], before=limited)
        tried(f"fit, files of {blocks} KiB", inputs["fit"], before=limited)
    with open("/dev/full", "w") as full:
        tried("full output", inputs["lines"], stdout=full)
    tried("closed output", inputs["lines"], before=["bash", "-c", 'exec "$@" >&-', "-"])
    tried("ASCII output", inputs["lines"], env={"PYTHONIOENCODING": "ascii"}, stdout=subprocess.DEVNULL)
    tried("no device", inputs["lines"], env={"JAX_PLATFORMS": "cuda"})
    return found


def ends(inputs: dict[str, list[str]], times: int) -> dict[str, Any]:
    """All ends at random moments; those that are stored already are not repeated."""

    def one(key: str) -> dict[str, Any]:
        command, number = key.split()
        return ended(command, inputs[command], int(number))

    rows = run("ended_ends", [f"{command} {number}" for number in range(times) for command in TABLES], one)
    return {
        "ends": len(rows),
        "exit codes": Counter(f"{row['signal']} {row['rc']}" for row in rows),
        "absent or whole (bar: all)": sum(row["absent or whole"] for row in rows),
        "same table again (bar: all)": sum(row["same table again"] for row in rows),
        "tracebacks once our code runs (bar: 0)": sum(row["traceback"] for row in rows if row["rc"] not in EARLY),
        "left hidden by the end": sum(bool(row["left hidden"]) for row in rows),
        "left hidden by the next run (bar: 0)": sum(bool(row["hidden after that"]) for row in rows),
    }


def twos(inputs: dict[str, list[str]]) -> dict[str, Any]:
    """Two of each command at once."""
    return {name: together(name, inputs[name]) for name in TABLES} | {"batch": batches(inputs["batch"])}


def main(times: int, parts: list[str]) -> None:
    """The parts that are asked for."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        inputs = write_inputs(folder)
        found: dict[str, Callable[[], dict[str, Any]]] = {
            "places": lambda: places(inputs),
            "together": lambda: twos(inputs),
            "ends": lambda: ends(inputs, times),
        }
        for part in parts or found:
            write(f"ended_{part}", found[part]())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12, sys.argv[2:])
