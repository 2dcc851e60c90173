"""Memory of a batch of many small galaxies over its time: it must not grow with what is done.

    python benchmarks/long_batch.py [galaxies, default 500]

`jaxmetal batch` of maps of 7 x 8 pixels in chunks of 25, by Laplace's approximation with 50 draws that are kept.
Resident memory is read every second. Bar: the largest in the last quarter of the time is within 10 % of that in the
second.
Writes results/long_batch.json.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from commands import jaxmetal
from resumable import write
from sample import CONFIG, SIGMA, galaxy

from jaxmetal.io.fits import write_maps
from jaxmetal.io.wcs import NOWHERE

SHAPE, CHUNK = (7, 8), 25
PAGE = resource.getpagesize()


def write_galaxies(folder: Path, count: int) -> list[str]:
    """Copies of one galaxy with other noise; the arguments of the batch but the output."""
    made = galaxy(0, SHAPE)
    seen, random = made.observations["metallicity"], np.random.default_rng(2)
    names = [f"galaxy {number}" for number in range(count)]
    for name in names:
        maps = {"data": np.asarray(seen.data) + SIGMA * random.normal(size=SHAPE), "sigma": np.full(SHAPE, 1.5 * SIGMA)}
        write_maps(folder / f"{name}.fits", maps, seen.grid, NOWHERE)
    files = [f"{name}.fits" for name in names]
    places = ("data", "sigma")
    Table(
        [names, *([files] * 2)], names=["name", *(f"observations.metallicity.{place}.file" for place in places)]
    ).write(folder / "sample.ecsv")
    (folder / "fit.toml").write_text(CONFIG.replace("draws = 300", "draws = 50\nstart_count = 1\nmethod = 'laplace'"))
    return ["batch", str(folder / "sample.ecsv"), "--config", str(folder / "fit.toml"), "--quiet"]


def main(count: int) -> None:
    """Runs and watches; what was seen is written whenever a chunk is done."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [*write_galaxies(folder, count), "--posteriors", "--chunk-size", str(CHUNK), "-o", f"{folder}/run"]
        began, seen = time.perf_counter(), list[tuple[float, float, int]]()
        process = jaxmetal(command, stderr=None)
        while process.poll() is None:
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                break
            done = len(list((folder / "run" / "chunks").glob("*.json")))
            if seen and done > seen[-1][2]:
                write("long_batch", {"galaxies": count, **summary(seen)})
            seen.append((time.perf_counter() - began, pages * PAGE / 2**20, done))
            time.sleep(1.0)
        assert process.wait() == 0
        fitted = Table.read(folder / "run" / "results.ecsv")["status"] != "failed"
    write("long_batch", {"galaxies": count, "with a fit": int(np.sum(fitted)), **summary(seen)})


def summary(seen: list[tuple[float, float, int]]) -> dict[str, Any]:
    """Memory by quarters of the time since the first chunk was done, and its course."""
    fitting = [memory for _, memory, done in seen if done] or [seen[-1][1]]
    quarters = [float(max(part, default=np.nan)) for part in np.array_split(fitting, 4)]
    seconds, memory, done = np.array(seen)[np.unique(np.linspace(0, len(seen) - 1, 30).astype(int))].T
    return {
        "chunks done": seen[-1][2],
        "seconds": seen[-1][0],
        "largest memory of each quarter once a chunk is done, MiB": quarters,
        "last over second quarter (bar: below 1.1)": quarters[3] / quarters[1],
        "over time": {"seconds": seconds.tolist(), "MiB": memory.tolist(), "chunks": done.tolist()},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
