"""A batch of galaxies of mixed shapes against the same galaxies one by one, and in another order.

    python benchmarks/batch_equals_single.py [galaxies, default 60]

Writes results/batch_equals_single.json.
"""

from __future__ import annotations

import sys

import jax
import numpy as np
from arviz_stats.base import array_stats
from resumable import run, write
from sample import SHAPES, galaxy

import jaxmetal as jm
from jaxmetal.posterior import Posterior

QUANTILES = (0.16, 0.5, 0.84)


def summary(posterior: Posterior) -> dict[str, dict[str, list[float]]]:
    """Best values, standard deviations, quantiles and their Monte Carlo errors."""
    return {
        site: {
            "best": [float(posterior.best[site])],
            "sd": [float(np.std(draws))],
            "quantiles": [float(np.quantile(draws, p)) for p in QUANTILES],
            "errors": [float(array_stats.mcse(draws, method="quantile", prob=p)) for p in QUANTILES],
        }
        for site, draws in posterior.draws.items()
    }


def alone(number: int) -> dict[str, dict[str, dict[str, list[float]]]]:
    """One galaxy by itself."""
    one = galaxy(number, SHAPES[number % len(SHAPES)])
    return {"found": summary(jm.fit.auto(one.scene, one.observations, progress=False))}


def main(count: int) -> None:
    """Fits twice and compares."""
    jax.config.update("jax_enable_x64", True)
    galaxies = [galaxy(number, SHAPES[number % len(SHAPES)]) for number in range(count)]
    batched = dict(jm.fit.batch(galaxies, pad=True, total=count))
    shuffled = dict(jm.fit.batch(galaxies[::-7] + galaxies[5:6], pad=True, progress=False))
    moved = max(
        float(np.max(np.abs(shuffled[n].draws[s] - draws)) / np.std(draws))
        for n in shuffled
        for s, draws in batched[n].draws.items()
    )
    singles = run("batch_equals_single", list(range(count)), alone)
    maps, quantiles = [], []
    for one, row in zip(galaxies, singles, strict=True):
        for site, found in summary(batched[one.name]).items():
            single = row["found"][site]
            maps.append(abs(found["best"][0] - single["best"][0]) / single["sd"][0])
            errors = np.hypot(found["errors"], single["errors"])
            quantiles += (np.abs(np.subtract(found["quantiles"], single["quantiles"])) / errors).tolist()
    write(
        "batch_equals_single",
        {
            "galaxies": count,
            "shapes": [list(shape) for shape in SHAPES],
            "MAP, largest difference in sd (bar: 1e-4)": max(maps),
            "quantiles, differences in Monte Carlo errors: rms (1 expected), largest": [
                float(np.sqrt(np.mean(np.square(quantiles)))),
                max(quantiles),
            ],
            "quantiles compared": len(quantiles),
            "draws in another order, largest difference in sd": moved,
            "methods": sorted({posterior.method for posterior in batched.values()}),
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
