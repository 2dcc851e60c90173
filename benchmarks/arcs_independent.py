"""The two real arcs against codes that share nothing with jaxmetal: a long emcee run and a least-squares maximum.

    python benchmarks/arcs_independent.py [as1063 a370]

First, the maximum of the light-weighted fit against scipy on `arcs_numpy`. Second, FRApy's operator under the priors of
Patricio et al. 2019, Table 2: NUTS against emcee (`arcs_frapy`). Writes benchmarks/results/arcs_independent.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import arcs
import emcee
import jax
import numpy as np
from arcs import Arc, free_disc, scene
from arcs_frapy import by_emcee, by_jaxmetal
from arcs_numpy import NAMES, LightWeighted

import jaxmetal as jm

RESULTS = Path(__file__).resolve().parent / "results" / "arcs_independent.json"


def posteriors(arc: Arc) -> dict[str, Any]:
    """Both posteriors; differences in units of emcee's standard deviation, FRApy's own answer beside them."""
    reference, how_reference = by_emcee(arc)
    ours, how_ours = by_jaxmetal(arc)
    for draws in (reference, ours):
        draws["q*z_grad"] = draws["q"] * draws["z_grad"]
    frapy = arc.expected["frapy_measured"]["bundle_data_free"]["posterior_main_mode"]
    compared = {}
    for name in reference:
        median, sd = np.median(reference[name]), np.std(reference[name])
        compared[name] = {
            "emcee": {"median": median, "sd": sd},
            "jaxmetal": {"median": np.median(ours[name]), "sd": np.std(ours[name])},
            "difference_in_sd": (np.median(ours[name]) - median) / sd,
            "ratio_of_sd": np.std(ours[name]) / sd,
            "frapy_main_mode": {"median": frapy[name]["median"], "sd": frapy[name]["std"]},
            "frapy_difference_in_sd": (frapy[name]["median"] - median) / sd,
        }
    worst = max(abs(row["difference_in_sd"]) for row in compared.values())
    return {"worst_difference_in_sd": worst, "parameters": compared, "emcee": how_reference, "jaxmetal": how_ours}


def maxima(arc: Arc) -> dict[str, Any]:
    """Both maxima of the light-weighted fit without scatter and shifts; centres are counted from the traced start."""
    answer = arc.expected["lsq_on_bundle_data"]["moffat2.8_deprojected"]["free"]
    kpc = arc.kpc_per_arcsec()
    at = arc.centre(answer["cx"], answer["cy"])
    frame, gradient = free_disc(arc, at, answer["pa"])
    psf = jm.instrument.Moffat(fwhm=arcs.FWHM[arc.name], beta=arcs.MOFFAT_BETA)
    prior = scene(frame, arc.picture(), gradient["central"], gradient["slope"], arc.lens())
    observations = {"metallicity": arc.observation(psf, jm.mixing.Dex())}
    found = jm.fit.auto(prior, observations, method="map", seed=1, progress=False)
    best = {site.rsplit(".", 1)[1]: float(value) for site, value in found.best.items()}

    numpy = LightWeighted(arcs.DATA / arc.name, arcs.FWHM[arc.name], arcs.MOFFAT_BETA, arcs.LIGHT_FWHM)
    start = {"q": answer["q"], "pa": answer["pa"], "central": answer["z_0"], "slope": answer["z_grad"] * kpc}
    other = numpy.fit((answer["cx"], answer["cy"]), start)
    # The two sky origins differ by the step from FK5 to ICRS (about 0.015 arcsec).
    origin = dict(zip(("x0", "y0"), np.subtract(at, other["traced_start"]), strict=True))
    ours = {name: best[name] - origin.get(name, 0.0) for name in NAMES}
    there = np.array([ours[name] for name in NAMES])
    apart = np.abs(numpy.model(there) - jm.result.best_prediction(found, "metallicity").value)
    unweighted = arc.expected["lsq_on_bundle_data"]
    pulls = {name: (ours[name] - other["best"][name]) / other["sigma"][name] for name in NAMES}
    return {
        "worst_difference_in_sigma": max(map(abs, pulls.values())),
        "difference_in_sigma": pulls,
        "jaxmetal": ours | {"slope_dex_per_kpc": ours["slope"] / kpc},
        "numpy": other | {"slope_dex_per_kpc": other["best"]["slope"] / kpc},
        "chi2": {
            "jaxmetal": float(np.nansum(jm.result.residual(found, "metallicity") ** 2)),
            "numpy": other["chi2"],
            "numpy_operator_at_jaxmetal_maximum": numpy.chi2(there),
            "unweighted_moffat": unweighted["moffat2.8_deprojected"]["free"]["chi2"],
            "unweighted_gaussian": unweighted["gaussian_deprojected"]["free"]["chi2"],
        },
        "operators_at_jaxmetal_maximum": {"max_dex": apart.max(), "max_sigma": np.max(apart / numpy.measured[1])},
        "n_data": len(numpy.measured[0]),
    }


def main(names: list[str]) -> None:
    """Runs both comparisons for the named arcs; what is finished is stored at once."""
    arcs.main_double()
    result = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    result["versions"] = {"jaxmetal": jm.__version__, "jax": jax.__version__, "emcee": emcee.__version__}
    for name in names:
        for label, compare in (("light_weighted_map", maxima), ("table2_posterior", posteriors)):
            found = compare(Arc(name))
            result.setdefault(name, {})[label] = found
            RESULTS.write_text(json.dumps(result, indent=1, default=float) + "\n")
            print(name, label, json.dumps(found, indent=1, default=float), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(arcs.FWHM))
