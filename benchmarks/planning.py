"""Errors of a gradient against signal-to-noise, blur and pixels; Fisher's against the scatter of fits.

    python benchmarks/planning.py

Fisher errors of all settings, and 60 simulated fits of every sixth. Writes results/planning.json, .png and single
settings in planning.jsonl.
"""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
from resumable import RESULTS, run, write

from jaxmetal import planning, plot

SNR, FWHM, PIXELS = (50.0, 100.0, 200.0), (0.25, 0.5, 1.0, 2.0), (2.0, 4.0)
DRAWS = 60


def one(key: list[Any]) -> dict[str, Any]:
    *place, fits = key
    setting = planning.Setting(*place)
    row: dict[str, Any] = {"error": planning.fisher_error(setting)}
    return row | (planning.simulated_error(setting, DRAWS)._asdict() if fits else {})


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    places = list(itertools.product(SNR, FWHM, PIXELS))
    keys = [[*place, k % 6 == 2] for k, place in enumerate(places)]
    rows = run("planning", keys, one)
    names = ("snr", "fwhm_per_r_eff", "pixels_per_r_eff")
    table = {name: np.array([row["key"][k] for row in rows]) for k, name in enumerate(names)}
    table["error"] = np.array([row["error"] for row in rows])
    fitted = [k for k, row in enumerate(rows) if "sd" in row]
    simulated = {name: values[fitted] for name, values in table.items()} | {
        "error": np.array([rows[k]["sd"] for k in fitted])
    }
    plot.forecast(table, simulated).savefig(RESULTS / "planning.png")
    write(
        "planning",
        {
            "unit": "dex per effective radius, of a gradient of -0.15",
            "table": {name: values.tolist() for name, values in table.items()},
            "noise draws per fitted setting": DRAWS,
            "scatter of fits over Fisher error (expected 1 +- 0.09)": [
                rows[k]["sd"] / rows[k]["error"] for k in fitted
            ],
            "error that fits quote over Fisher error": [rows[k]["quoted"] / rows[k]["error"] for k in fitted],
            "bias over its standard error": [rows[k]["bias"] / rows[k]["sd"] * DRAWS**0.5 for k in fitted],
        },
    )


if __name__ == "__main__":
    main()
