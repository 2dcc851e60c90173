"""Runs of `jaxmetal batch` that are killed at random moments, and one with broken galaxies.

    python benchmarks/batch_survives.py [kills, default 10] [galaxies of the broken sample, default 200]

Writes results/batch_survives.json.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from astropy.io import fits
from astropy.table import Table
from resumable import write
from sample import write_sample

COUNT = 24


def jaxmetal(*arguments: str) -> subprocess.Popen[bytes]:
    """The command, started."""
    return subprocess.Popen([sys.executable, "-m", "jaxmetal", *arguments], stdout=subprocess.DEVNULL)


def kills(folder: Path, times: int) -> dict[str, Any]:
    """An undisturbed run, and runs killed at a random moment of its time; each is resumed, then compared."""
    command = [*write_sample(folder, COUNT), "--chunk-size", "4"]
    began = time.perf_counter()
    whole = folder / "whole"
    assert jaxmetal(*command, "-o", str(whole)).wait() == 0
    seconds = time.perf_counter() - began
    random, outcomes, found = np.random.default_rng(1), [], {}
    for number in range(times):
        run, moment = folder / f"killed_{number}", random.uniform(0.05, 0.95) * seconds
        process = jaxmetal(*command, "-o", str(run))
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = len(list(run.glob("chunks/*.json")))
        # Killed before its plan was written, a run has no folder yet and is simply started again.
        again = ["--resume"] if run.exists() else []
        assert jaxmetal(*command, "-o", str(run), *again).wait() == 0
        one, other = ((f / "results.ecsv").read_text() for f in (whole, run))
        outcomes.append({"killed after s": moment, "chunks done by then": done, "same table": one == other})
        same = all(outcome["same table"] for outcome in outcomes)
        found = {"seconds undisturbed": seconds, "kills": outcomes, "all the same": same}
        write("batch_survives", {"killed": found})
    return found


def broken(folder: Path, count: int) -> dict[str, Any]:
    """One galaxy with NaN sigma, one whose file is missing, one whose prior makes the fit run away."""
    command = [*write_sample(folder, count), "--chunk-size", "64"]
    with fits.open(folder / "3.fits", mode="update") as file:
        file["SIGMA"].data[:] = np.nan
    (folder / "50.fits").unlink()
    table = Table.read(folder / "sample.ecsv")
    cells = [""] * count
    cells[120] = '{dist = "Uniform", low = 0.3, high = 0.4}'
    table["sources.disc.carries.metallicity.profile.slope"] = cells
    table.write(folder / "sample.ecsv", overwrite=True)
    began = time.perf_counter()
    assert jaxmetal(*command, "-o", str(folder / "run")).wait() == 0
    found = Table.read(folder / "run" / "results.ecsv")
    return {
        "galaxies": count,
        "seconds": time.perf_counter() - began,
        "good": int(np.sum(found["status"] == "ok")),
        "others": {row["name"]: [row["status"], row["message"]] for row in found if row["status"] != "ok"},
    }


def main(times: int, count: int) -> None:
    """Both."""
    jax.config.update("jax_enable_x64", True)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        write("batch_survives", {"killed": kills(Path(first), times), "broken": broken(Path(second), count)})


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [10, 200][len(given) :]))
