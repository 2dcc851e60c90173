"""A batch on a Dask cluster one of whose workers is killed while another joins.

    python benchmarks/workers.py

A scheduler and two workers of one thread each; once the first chunk is done one worker is killed with SIGKILL and a
third joins. Bar: the same table as on one machine, nothing hidden left in the folder. Writes results/workers.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from commands import jaxmetal, said
from resumable import write
from sample import write_sample

COUNT, CHUNK = 8, 2
PATIENCE = 600.0
"""Seconds until a chunk must be done."""


@contextlib.contextmanager
def dask(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler or a worker, in a group of its own so that its children end with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    """Once."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as opened:
        folder, known = Path(place), Path(place) / "scheduler.json"
        command = [*write_sample(folder, COUNT), "--chunk-size", str(CHUNK), "--method", "laplace", "--posteriors"]
        opened.enter_context(dask("dask_scheduler", "--port", "0", "--scheduler-file", str(known), "--no-dashboard"))
        while not known.exists():
            time.sleep(0.2)
        worker = ("dask_worker", "--scheduler-file", str(known), "--nthreads", "1", "--no-dashboard", "--no-nanny")
        first, _ = (opened.enter_context(dask(*worker)) for _ in range(2))
        address = json.loads(known.read_text())["address"]
        began, run = time.perf_counter(), folder / "run"
        process = jaxmetal([*command, "-o", str(run), "--scheduler", address])
        while not list(run.glob("chunks/*.json")) and time.perf_counter() - began < PATIENCE:
            time.sleep(0.1)
        done = len(list(run.glob("chunks/*.json")))
        os.killpg(first.pid, signal.SIGKILL)
        opened.enter_context(dask(*worker))
        end = said(process)
        seconds = time.perf_counter() - began
        print(end, flush=True)
        assert end["rc"] == 0
        alone = folder / "alone"
        assert said(jaxmetal([*command, "-o", str(alone)]))["rc"] == 0
        tables = [(one / "results.ecsv").read_text() for one in (run, alone)]
        left = [str(entry.relative_to(run)) for entry in run.rglob(".*")]
    write(
        "workers",
        {
            "galaxies": COUNT,
            "chunks": COUNT // CHUNK,
            "chunks done when a worker was killed": done,
            "seconds": seconds,
            **end,
            "same table as alone": tables[0] == tables[1],
            "left hidden": left,
        },
    )


if __name__ == "__main__":
    main()
