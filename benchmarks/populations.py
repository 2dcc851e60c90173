"""Populations of 300 galaxies: is every hyper-parameter inside its 68 % interval as often as it should be?

    python benchmarks/populations.py [populations, default 20] [first seed, default 0]

Gradients against stellar mass with slope -0.02 dex/kpc per dex, intrinsic scatter 0.03 dex/kpc and errors between 0.02
and 0.2 dex/kpc; each galaxy gives 1,000 draws of its posterior under a N(0, 0.3) prior, and route (a) divides that out.
A second column of results takes the scatter for 1.5 times what it is, which the bar must notice. Writes
results/populations.json; single populations in results/populations.jsonl.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import numpy as np
from resumable import run, write

from jaxmetal import population

TRUTH = {"central": -0.03, "slope.log_mass": -0.02, "scatter": 0.03}
PIVOT, PRIOR = 10.0, 0.3


def simulated(seed: int, galaxies: int = 300, draws: int = 1000) -> tuple[population.Draws, population.Covariate]:
    """Posterior draws of galaxies of a known population, and their masses."""
    random = np.random.default_rng(seed)
    mass = random.normal(9.8, 0.6, galaxies)
    sigma = np.exp(random.uniform(np.log(0.02), np.log(0.2), galaxies))
    true = TRUTH["central"] + TRUTH["slope.log_mass"] * (mass - PIVOT) + TRUTH["scatter"] * random.normal(size=galaxies)
    data = true + sigma * random.normal(size=galaxies)
    variance = 1.0 / (1.0 / sigma**2 + 1.0 / PRIOR**2)
    values = (variance * data / sigma**2)[:, None] + np.sqrt(variance)[:, None] * random.normal(size=(galaxies, draws))
    log_prior = -0.5 * (values / PRIOR) ** 2 - np.log(PRIOR * np.sqrt(2.0 * np.pi))
    return population.Draws(values=values, log_prior=log_prior), population.Covariate(values=mass, pivot=PIVOT)


def one(seed: int, galaxies: int = 300, draws: int = 1000, kept: int = 500) -> dict[str, Any]:
    """Simulates and fits once."""
    quantity, mass = simulated(seed, galaxies, draws)
    settings = population.Run(chains=2, draws=kept, seed=seed)
    found = population.fit(quantity, {"log_mass": mass}, run=settings)
    row: dict[str, Any] = {"findings": [str(finding) for finding in found.findings]}
    for name, truth in TRUTH.items():
        low, high = population.interval(found.draws[name])
        row[name] = {
            "median": float(np.median(found.draws[name])),
            "low": low,
            "high": high,
            "inside": bool(low <= truth <= high),
            "rank": float(np.mean(found.draws[name] < truth)),
        }
    row["scatter"]["inside_if_1.5_times"] = bool(
        row["scatter"]["low"] <= 1.5 * TRUTH["scatter"] <= row["scatter"]["high"]
    )
    return row


def main(count: int, first: int) -> None:
    jax.config.update("jax_enable_x64", True)
    rows = run("populations", list(range(first, first + count)), lambda seed: one(61_000 + seed))
    write(
        "populations",
        {
            "populations": len(rows),
            "truth": TRUTH,
            "inside the 68 % interval (bar: 9 to 18 of 20)": {n: sum(r[n]["inside"] for r in rows) for n in TRUTH},
            "a scatter 1.5 times too large inside (must be below 9)": sum(
                r["scatter"]["inside_if_1.5_times"] for r in rows
            ),
            "mean of median - truth, in standard errors of that mean": {
                n: float(np.mean([r[n]["median"] - TRUTH[n] for r in rows]))
                / float(np.std([r[n]["median"] for r in rows], ddof=1) / np.sqrt(len(rows)))
                for n in TRUTH
            },
            "fits with warnings": sum(any(not f.startswith("Effective") for f in r["findings"]) for r in rows),
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
