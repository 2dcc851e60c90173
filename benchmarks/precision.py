"""What single precision changes: galaxies of the sample fitted in both precisions, with the same random numbers.

    python benchmarks/precision.py [galaxies, default 12]

Differences are in standard deviations of the double-precision posterior. Writes results/precision.json.
"""

from __future__ import annotations

import sys
from collections import Counter

import jax
import numpy as np
from arviz_stats.base import array_stats
from resumable import write
from sample import SHAPES, galaxy

import jaxmetal as jm
from jaxmetal.posterior import Posterior


def fitted(count: int, double: bool) -> list[Posterior]:
    """Galaxies made and fitted in one precision."""
    jax.config.update("jax_enable_x64", double)
    galaxies = [galaxy(number, SHAPES[number % 2]) for number in range(count)]
    found = dict(jm.fit.batch(galaxies, progress=False))
    return [found[one.name] for one in galaxies]


def main(count: int) -> None:
    """Fits twice and compares."""
    singles, doubles = fitted(count, False), fitted(count, True)
    best, medians, widths, noise = [], [], [], []
    for single, double in zip(singles, doubles, strict=True):
        for site, draws in double.draws.items():
            other, sd = single.draws[site], float(np.std(draws))
            best.append(abs(float(single.best[site]) - float(double.best[site])) / sd)
            medians.append(abs(float(np.median(other)) - float(np.median(draws))) / sd)
            widths.append(abs(float(np.std(other)) / sd - 1.0))
            noise.append(float(array_stats.mcse(draws, method="quantile", prob=0.5)) / sd)
    write(
        "precision",
        {
            "galaxies": count,
            "numbers compared": len(best),
            "best values, difference in sd: median, largest": [float(np.median(best)), max(best)],
            "medians of the draws, difference in sd: median, largest": [float(np.median(medians)), max(medians)],
            "Monte Carlo error of a median, in sd: median": float(np.median(noise)),
            "standard deviations, relative difference: median, largest": [float(np.median(widths)), max(widths)],
            "methods (single, double)": [dict(Counter(one.method for one in fits)) for fits in (singles, doubles)],
            "largest difference of k-hat": max(abs(a.k_hat - b.k_hat) for a, b in zip(singles, doubles, strict=True)),
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
