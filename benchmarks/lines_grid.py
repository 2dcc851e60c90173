"""Grid posteriors of 50 mixed spectra against brute force on a finer grid, and against long NUTS chains.

    python benchmarks/lines_grid.py [spectra, default 50] [spectra of these also by NUTS, default 4]

S/N of Hb is 1 to 100, both branches occur, a line is missing in every third and faint fluxes are negative. The
reference is numpy (`tests/spectra.py`): 0.005 dex by 0.04 mag, 20 times the nodes of the grid, with the
normalisation and the offsets summed directly. NUTS starts in the grid's mode, and is compared where one branch holds
all but 1 %.
Writes results/lines_grid.json; single spectra in results/lines_grid.jsonl.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
from resumable import run, write

import jaxmetal as jm

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from spectra import SIX, brute_force, expected_fluxes

SEED, Z_RANGE, A_V_RANGE, FINE = 515, (7.0, 9.3), (0.0, 4.0), (461, 101)


def spectra(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes of six lines and their errors."""
    rng = np.random.default_rng(SEED)
    z, a_v, sn = rng.uniform(7.1, 9.2, count), rng.uniform(0.0, 2.5, count), 10 ** rng.uniform(0.0, 2.0, count)
    sigma = np.repeat(1.0 / sn[:, None], 6, axis=1)
    flux = expected_fluxes(z, a_v) + sigma * rng.standard_normal((count, 6))
    flux[np.arange(0, count, 3), rng.integers(0, 6, len(range(0, count, 3)))] = np.nan
    return flux, sigma


def fine(flux: np.ndarray, sigma: np.ndarray, turnover: float) -> dict[str, float]:
    """Median and half-width of 16 to 84 % of Z, and the weight above the turnover, by brute force."""
    z, a_v = np.linspace(*Z_RANGE, FINE[0]), np.linspace(*A_V_RANGE, FINE[1])
    log_p = brute_force(flux, sigma, z, a_v, 0.0)
    ends = np.ones(a_v.size)
    ends[[0, -1]] = 0.5
    marginal = (np.exp(log_p - log_p.max()) * ends).sum(axis=1)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (marginal[1:] + marginal[:-1]))])
    low, median, high = np.interp([0.16, 0.5, 0.84], cumulative / cumulative[-1], z)
    upper = 1.0 - np.interp(turnover, z, cumulative / cumulative[-1])
    return {"median": median, "width": 0.5 * (high - low), "upper": upper}


def chains(likelihood: jm.spaxel.Fluxes, flux: np.ndarray, sigma: np.ndarray, start: float) -> dict[str, float]:
    """Median and half-width of Z from NUTS, and the Monte Carlo error of the median."""
    from jaxmetal.numerics.convergence import effective_samples

    one = np.ones(4)
    first = {"z": start * one, "a_v": 1.0 * one, "hb": max(np.nanmax(flux[2]), 0.1) * one, "offsets": np.zeros((4, 3))}
    draws = jm.spaxel.sample(likelihood, flux, sigma, seed=7, warmup=1000, draws=5000, chains=4, start=first)["z"]
    low, median, high = np.quantile(draws, [0.16, 0.5, 0.84])
    width = 0.5 * (high - low)
    return {
        "nuts median": median,
        "nuts width": width,
        "nuts error of the median": 1.25 * width / np.sqrt(effective_samples(draws)),
    }


def main(count: int, by_nuts: int) -> None:
    """All spectra."""
    jax.config.update("jax_enable_x64", True)
    flux, sigma = spectra(count)
    likelihood = jm.spaxel.fluxes(SIX, "M08", z_range=Z_RANGE, a_v_range=A_V_RANGE)
    found = jm.spaxel.posterior(likelihood, flux, sigma, chunk=count)
    rows = run("lines_grid", list(range(count)), lambda i: fine(flux[i], sigma[i], float(likelihood.turnover)))
    sure = [i for i in range(count) if not 0.01 < found["p_upper"][i] < 0.99][:by_nuts]
    nuts = run("lines_grid_nuts", sure, lambda i: chains(likelihood, flux[i], sigma[i], float(found["mode"][i])))
    shift = np.array([(found["z"][i] - row["median"]) / row["width"] for i, row in enumerate(rows)])
    weight = np.array([found["p_upper"][i] - row["upper"] for i, row in enumerate(rows)])
    z = found["z"][sure]
    content: dict[str, Any] = {
        "spectra": count,
        "with a missing line": int(np.isnan(flux).any(axis=1).sum()),
        "with a negative flux": int((flux < 0.0).any(axis=1).sum()),
        "with both branches above 5 %": int(((found["p_upper"] > 0.05) & (found["p_upper"] < 0.95)).sum()),
        "largest |median - brute force| / sigma (bar: 0.05)": float(np.abs(shift).max()),
        "largest difference of upper-branch weights (bar: 0.02)": float(np.abs(weight).max()),
        "nuts: spectra": len(sure),
        "nuts: |median - grid| / sigma": [
            float(abs(row["nuts median"] - one) / row["nuts width"]) for row, one in zip(nuts, z, strict=True)
        ],
        "nuts: its Monte Carlo error / sigma": [
            float(row["nuts error of the median"] / row["nuts width"]) for row in nuts
        ],
    }
    write("lines_grid", content)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [50, 4][len(arguments) :]))
