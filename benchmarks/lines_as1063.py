"""The published metallicities of the AS1063 arc from its public line fluxes, by the likelihood of Patricio et al. 2019.

    python benchmarks/lines_as1063.py

Needs ../shared/data/as1063. Both calibration errors, that of the paper's text and the one its errors need, and both
priors of Z. Writes results/lines_as1063.json.
"""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
from resumable import write

import jaxmetal as jm
from jaxmetal.io.tables import read_table

DATA = Path(__file__).parents[2] / "shared" / "data" / "as1063"


def main() -> None:
    """All settings."""
    jax.config.update("jax_enable_x64", True)
    table, published = (
        read_table(DATA / f"{name}.dat") for name in ("line_fluxes_by_bin", "published_metallicity_by_bin")
    )
    _, here, there = np.intersect1d(table["bin"], published["bin"], return_indices=True)
    columns = ("oii", "hg", "hb", "oiii59", "oiii07")
    flux, sigma = (np.stack([table[prefix + name][here] for name in columns], axis=-1) for prefix in ("f_", "unc_"))
    met, met_unc, ext = (published[name][there] for name in ("met", "met_unc", "ext"))
    good = np.all(flux > 0, axis=1) & np.all(sigma > 0, axis=1) & (met > 8.0)
    content = {}
    for sigma_cal in (0.06, 0.1):
        for z_range in ((8.4, 9.5), (7.0, 9.2)):
            found = jm.spaxel.posterior(
                jm.spaxel.patricio19(sigma_cal=sigma_cal, z_range=z_range), flux[good], sigma[good]
            )
            difference, reddening = found["z"] - met[good], found["a_v"] / 4.05 - ext[good]
            width = 0.5 * (found["z_high"] - found["z_low"])
            content[f"sigma_cal {sigma_cal}, Z {z_range[0]} to {z_range[1]}"] = {
                "bins": int(good.sum()),
                "median dZ (bar: 0.03)": float(np.median(difference)),
                "scatter of dZ, standard deviation (bar: 0.012)": float(difference.std()),
                "scatter of dZ, 1.4826 MAD": float(1.4826 * np.median(np.abs(difference - np.median(difference)))),
                "median dE(B-V)": float(np.median(reddening)),
                "scatter of dE(B-V)": float(reddening.std()),
                "median sigma_Z": float(np.median(width)),
                "published median sigma_Z": float(np.median(met_unc[good])),
            }
    write("lines_as1063", content)


if __name__ == "__main__":
    main()
