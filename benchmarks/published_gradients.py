"""The published gradients of Curti et al. 2020 (28) and Wang et al. 2017 (10) against mass and specific star formation.

    python benchmarks/published_gradients.py TABLES.json

Each compilation by itself and the two together, against log stellar mass and log sSFR by themselves and jointly, with
the scatter Gaussian and Student-t. Star-formation rates with an upper limit are measurements of 0. Wang et al. give no
errors of masses and rates: 0.1 dex is assumed for the masses. Writes results/published_gradients.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
from resumable import RESULTS, write

from jaxmetal import plot, population

MASS, RATE = 9.4, -8.5
"""Pivots: log10 of solar masses, and of 1/yr. The mass is that of Wang et al. 2020."""

ASSUMED = 0.1
"""Error of the masses of Wang et al. 2017, dex."""

WANG20 = {
    "source": "Wang et al. 2020, ApJ 900, 183, Fig. 9: all well-resolved high-redshift gradients then",
    "central at log mass 9.4, dex/kpc": [-0.020, 0.007],
    "slope with log mass, dex/kpc/dex": [-0.014, 0.008],
    "scatter, dex/kpc": [0.060, 0.006],
}

WANG17 = "Wang et al. 2017, ApJ 837, 89, abstract: tentatively, gradients are shallower at higher mass (slope > 0)"
STOTT14 = "Stott et al. 2014, abstract (arXiv:1407.1047): metal-poor centres at high specific SFR (slope with sSFR > 0)"


def rows_of_curti(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "gradient": (row["gradient_dex_per_kpc"], row["error"]),
            "mass": (row["log_mass"], row["log_mass_error"]),
            "rate": (np.log10(row["sfr"]), row["sfr_error"] / row["sfr"] / np.log(10.0)),
            "limit": False,
        }
        for row in table
        if None not in (row["gradient_dex_per_kpc"], row["error"], row["log_mass"], row["log_mass_error"], row["sfr"])
    ]


def rows_of_wang(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "gradient": tuple(row["gradient_spaxel"]),
            "mass": (row["log_mass"], ASSUMED),
            "rate": (np.log10(float(row["sfr"].removeprefix("<"))), 0.0),
            "limit": row["sfr"].startswith("<"),
        }
        for row in table
    ]


def arranged(rows: list[dict[str, Any]]) -> tuple[population.Measured, dict[str, population.Covariate]]:
    """Gradients and covariates of some rows; the error of an sSFR is that of rate and mass."""
    (gradient, error), (mass, mass_error), (rate, rate_error) = (
        np.array([row[name] for row in rows]).T for name in ("gradient", "mass", "rate")
    )
    limit = np.array([row["limit"] for row in rows])
    return population.Measured(values=gradient, sigma=error), {
        "log_mass": population.Covariate(
            values=mass, pivot=MASS, sigma=mass_error, label="log stellar mass", unit="dex(Msun)"
        ),
        "log_ssfr": population.Covariate(
            values=rate - mass,
            pivot=RATE,
            sigma=np.where(limit, 0.0, np.hypot(rate_error, mass_error)),
            limit=limit,
            label="log sSFR",
            unit="dex(1/yr)",
        ),
    }


def result(
    rows: list[dict[str, Any]], names: tuple[str, ...], robust: bool
) -> tuple[population.Relation, dict[str, Any]]:
    quantity, covariates = arranged(rows)
    found = population.fit(
        quantity,
        {name: covariates[name] for name in names},
        robust=robust,
        run=population.Run(chains=2, warmup=500, draws=1000),
    )
    columns = population.table(found)
    numbers: dict[str, Any] = {
        name: {"median": m, "interval": [low, high], "unit": unit}
        for name, m, low, high, unit in zip(
            *(columns[key] for key in ("parameter", "median", "low", "high", "unit")), strict=True
        )
    }
    numbers["spearman"] = {name: found.spearman(name)._asdict() for name in names}
    numbers["findings"] = [str(finding) for finding in found.findings]
    return found, numbers


def main(path: str) -> None:
    jax.config.update("jax_enable_x64", True)
    tables = json.loads(Path(path).read_text())
    samples = {"curti20": rows_of_curti(tables["curti20"]), "wang17": rows_of_wang(tables["wang17"])}
    samples["both"] = [*samples["curti20"], *samples["wang17"]]
    wanted = [
        *((sample, (name,), False) for sample in samples for name in ("log_mass", "log_ssfr")),
        ("both", ("log_mass",), True),
        ("both", ("log_ssfr",), True),
        ("both", ("log_mass", "log_ssfr"), False),
    ]
    found: dict[str, Any] = {}
    for sample, names, robust in wanted:
        relation, numbers = result(samples[sample], names, robust)
        found[f"{sample} against {' and '.join(names)}" + (", Student-t scatter" if robust else "")] = numbers
        if names == ("log_mass", "log_ssfr"):
            plot.relation(relation).savefig(RESULTS / "published_gradients.png")
    write(
        "published_gradients",
        {
            "pivots": {"log_mass": MASS, "log_ssfr": RATE},
            "galaxies": {name: len(rows) for name, rows in samples.items()},
            "upper limits of the rate": sum(row["limit"] for row in samples["wang17"]),
            "selection": population.selection.WITHOUT,
            "relations": found,
            "larger compilations, for comparison": [WANG20, WANG17, STOTT14],
            "left out": "What Curti et al. 2020 and Wang et al. 2017 quote on larger compilations: not verified.",
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
