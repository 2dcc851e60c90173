"""The process of `fuzz.py` that runs commands on spoilt input: one after another, so that it imports and compiles once.

Reads the number of a mutation from each line of its standard input, and answers with a line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from fuzz_mutations import mutate

from jaxmetal.cli import line_pictures, main

SEED = 20261129
"""Declared before the first run."""
GIB = 2**30
ROOM = 16 * GIB
"""Address space above that of a warm process, where an allocation without end fails."""
WRITES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree")
SHARES = {
    "scene": 0.2, "recipe": 0.15, "lens": 0.12, "bins": 0.12, "lines": 0.14, "catalogue": 0.15, "population": 0.1,
    "simulate": 0.02,
}  # fmt: skip
"""Working input -> share of the mutations."""


class Watch:
    """What Python writes outside the folders where it may."""

    def __init__(self) -> None:
        self.outside: list[str] = []
        self._allowed: tuple[str, ...] = ()
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def over(self, folder: Path) -> Iterator[None]:
        """Listens to what is written elsewhere than in a folder, or where compiled programs are kept."""
        self.outside, self._allowed = [], (str(folder), "/dev/null")
        try:
            yield
        finally:
            self._allowed = ()
            kept = jax.config.jax_compilation_cache_dir
            self.outside = [one for one in self.outside if not kept or kept not in one]

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if not self._allowed or not (event in WRITES or event == "open"):
            return
        path, flags = details[0], details[2] if event == "open" else os.O_WRONLY
        if not isinstance(path, (str, bytes, os.PathLike)) or not flags & (os.O_WRONLY | os.O_RDWR):
            return
        place = os.path.abspath(os.fsdecode(path))
        if not place.startswith(self._allowed):
            self.outside.append(f"{event} {place}")


def kind_of(number: int) -> tuple[str, np.random.Generator]:
    """Which working input a number spoils, and the random numbers that decide how."""
    random = np.random.default_rng([SEED, number])
    return str(random.choice(list(SHARES), p=list(SHARES.values()))), random


def one(
    number: int, folder: Path, commands: dict[str, list[str]], watch: Watch, command: str | None = None
) -> dict[str, Any]:
    """What a command does with the mutation of a number."""
    name, random = kind_of(number)
    case = Path(tempfile.mkdtemp(dir=folder))
    try:
        shutil.copytree(folder / "inputs" / name, case / name)
        arguments = list(commands[name])
        made = mutate(case / name, arguments, random)
        if command:
            arguments = [command, *arguments[1:], "-o", "work/out", "--quiet"]
        found = _run(case / name, arguments, watch, pictures=number % 10 == 0)
    finally:
        shutil.rmtree(case)
    return {"input": name, "mutation": made.what, "wrong": made.wrong, **found}


def _run(folder: Path, arguments: list[str], watch: Watch, pictures: bool) -> dict[str, Any]:
    before, home = _contents(folder), os.getcwd()
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of memory so far
    os.chdir(folder)
    began, used, draw = time.perf_counter(), time.process_time(), line_pictures.draw
    if not pictures:
        line_pictures.draw = lambda *_: None
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors), watch.over(folder / "work"):
            code, trouble = _called(arguments)
    finally:
        line_pictures.draw = draw
        os.chdir(home)
    message, after = errors.getvalue(), _contents(folder)
    words = said.getvalue() + message
    return {
        "code": code,
        "message": message[:400],
        "length": len(message),
        "reported": "WARNING" in words or "ERROR" in words,
        "traceback": trouble,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "gib": _peak() / GIB,
        "outside": watch.outside + [name for name in before | after if before.get(name) != after.get(name)],
    }


def _called(arguments: list[str]) -> tuple[Any, str]:
    """The exit code of a command, and the traceback that it left."""
    try:
        return main(arguments), ""
    except SystemExit as stop:
        return stop.code, ""
    except BaseException as error:
        return "traceback", "".join(traceback.format_exception(error))[-1500:]


def _contents(folder: Path) -> dict[str, bytes]:
    """All files but those in the folder where output goes."""
    inside = folder / "work"
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(inside))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def serve(folder: Path) -> None:
    """Answers until nothing is asked any more."""
    commands, watch, answers = json.loads((folder / "commands.json").read_text()), Watch(), os.fdopen(os.dup(1), "w")
    jax.devices()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    for line in sys.stdin:
        number, command = json.loads(line)
        answers.write(json.dumps(one(number, folder, commands, watch, command), default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
