"""Coverage where intervals are hard to get right: 60 galaxies of six hard kinds, by an independent renderer.

    python benchmarks/coverage_hard.py [galaxies of each kind, default 10]

A PSF of unknown width, thin discs, round ones, an unknown jitter and sky, S/N 3, and a disc with a bright clump of
another metallicity: the zoo's kinds at seeds of their own. Truths are draws of the priors, maps and images come from
the tests' renderer, and `fit.auto` chooses the method. Of every parameter that all kinds have (of the disc: geometry,
light, central value and slope) the intervals of 68 % are pooled: they should hold 55 to 80 % of the truths, and fewer
once the draws' scatter is scaled by 0.75, which shows that the test can fail. Other parameters, and each kind, are
reported. Writes results/coverage_hard.json; resumable.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import jax
import numpy as np
from resumable import run, write
from zoo_cases import CASES, Case, Table, disc, lognormal, normal
from zoo_cases import write as files

import jaxmetal as jm
from jaxmetal.machine import keep_memory

FIRST = 1000
"""Seeds of galaxies begin here: none is one of the zoo's."""
BAR = (0.55, 0.80)
PLANTED = 0.75


def clumped(size: float) -> Table:
    """A disc with a gradient, and beside its centre a clump of its own metallicity."""
    where = {"x0": normal(0.9 * size, 0.1 * size), "y0": normal(0.5 * size, 0.1 * size)}
    return {
        **disc(size),
        "clump": {
            "frame": {"type": "Disc", **where},
            "lights": {"halpha": {"type": "Gaussian", "flux": lognormal(25.0), "r_eff": lognormal(0.3 * size)}},
            "carries": {
                "metallicity": {"weight": "halpha", "profile": {"type": "Constant", "value": normal(8.3, 0.2)}}
            },
        },
    }


KINDS = {name: CASES[name] for name in ("seeing", "edge", "face", "jitter", "faint")}
KINDS["clump"] = Case("disc and clump", (31, 33), ("Gaussian", 3.0), clumped(0.9))


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = run("coverage_hard", [[kind, seed] for kind in KINDS for seed in range(count)], one)
    write("coverage_hard", summed(rows))


def one(key: list[Any]) -> dict[str, Any]:
    """One galaxy: pulls and intervals of every parameter whose truth is known."""
    kind, seed = key
    with tempfile.TemporaryDirectory() as folder:
        truth = files(KINDS[kind], FIRST + seed, Path(folder))
        job = jm.io.read_config(Path(folder) / "fit.toml")
    posterior = jm.fit.auto(job.scene, job.observations, progress=False, **job.settings)
    found = {}
    for site, draws in posterior.draws.items():
        if site in truth:
            values = np.append(np.ravel(draws), truth[site])
            values = unwound(values) if site.endswith(".pa") else values
            low, middle, high = np.percentile(values[:-1] - values[-1], [16.0, 50.0, 84.0])
            found[site.removeprefix("scene.sources.")] = [-low, middle, high]
    return {"method": posterior.method, "findings": [str(f) for f in posterior.findings], "found": found}


def unwound(angles: np.ndarray) -> np.ndarray:
    """Angles with a period of 180 degrees as deviations from their mean direction; the truth is one among thousands."""
    middle = np.angle(np.exp(2j * np.deg2rad(angles)).mean()) / 2
    return (angles - np.rad2deg(middle) + 90.0) % 180.0 - 90.0


def holds(low: float, middle: float, high: float, scale: float = 1.0) -> bool:
    """Whether an interval about the median, given as distances from the truth, holds it."""
    return bool(middle - scale * (middle + low) <= 0.0 <= middle + scale * (high - middle))


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of truths inside, pooled and by kind."""
    inside, planted, by_kind = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in rows:
        for site, numbers in row["found"].items():
            inside[site].append(holds(*numbers))
            planted[site].append(holds(*numbers, PLANTED))
            by_kind[row["key"][0]].append(inside[site][-1])
    pooled = {site for site, held in inside.items() if len(held) == len(rows)}
    shares = {site: float(np.mean(held)) for site, held in inside.items()}
    everything = [one for site in sorted(pooled) for one in inside[site]]
    return {
        "galaxies": len(rows),
        "coverage of 68 %, pooled (bar: 0.55 to 0.80)": {site: shares[site] for site in sorted(pooled)},
        "all of them": float(np.mean(everything)),
        "met": all(BAR[0] <= shares[site] <= BAR[1] for site in pooled),
        "with the scatter scaled by 0.75": float(np.mean([one for site in pooled for one in planted[site]])),
        "others": {site: shares[site] for site in sorted(set(shares) - pooled)},
        "by kind": {kind: float(np.mean(held)) for kind, held in by_kind.items()},
        "methods": sorted({row["method"] for row in rows}),
        "with findings": [[*row["key"], row["findings"]] for row in rows if row["findings"]],
    }


if __name__ == "__main__":
    main()
