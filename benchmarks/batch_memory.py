"""Memory of a batch per galaxy, measured, against the estimate by which galaxies are grouped.

    python benchmarks/batch_memory.py

Peak memory of a group of 64 galaxies less that of one of 8, each in a process of its own: large maps without draws, and
small maps with many. Writes results/batch_memory.json.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import jax
from resumable import write
from sample import galaxy

import jaxmetal as jm
from jaxmetal.fit.galaxies import bytes_each
from jaxmetal.fit.method import Options
from jaxmetal.fit.problem import make

CASES: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "maps of 81 x 85 pixels, the maximum": ((81, 85), {"method": "map", "start_count": 1}),
    "maps of 9 x 11 pixels, 4 x 2,000 draws": ((9, 11), {"method": "laplace", "draws": 2000, "start_count": 1}),
}
FEW, MANY = 8, 64


def one(case: str, count: int) -> None:
    """Fits one group; prints peak memory, and the estimate for a galaxy, in bytes."""
    jax.config.update("jax_enable_x64", True)
    shape, options = CASES[case]
    for _ in jm.fit.batch((galaxy(n, shape) for n in range(count)), memory=1e3, progress=False, **options):
        pass
    first = galaxy(0, shape)
    estimate = bytes_each(make(first.scene, first.observations), Options.among(options))
    print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, estimate)


def main() -> None:
    """All cases."""
    jax.config.update("jax_enable_x64", True)
    rows = {}
    for case in CASES:
        found = [
            subprocess.run([sys.executable, __file__, case, str(count)], capture_output=True, text=True, check=True)
            for count in (FEW, MANY)
        ]
        peaks, estimates = zip(*([int(word) for word in done.stdout.split()[-2:]] for done in found), strict=True)
        measured = (peaks[1] - peaks[0]) / (MANY - FEW)
        rows[case] = {
            "measured, MiB per galaxy": measured / 2**20,
            "estimated, MiB per galaxy": estimates[0] / 2**20,
            "measured over estimated (must be below 1)": measured / estimates[0],
        }
    write("batch_memory", {"groups of": [FEW, MANY], **rows})


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else one(sys.argv[1], int(sys.argv[2]))
