"""Simulation-based calibration of the default likelihood, and the bias of cuts in signal-to-noise.

    python benchmarks/lines_sbc.py [spectra, default 1000]

Z, A(V), calibration offsets and Hb are drawn from the prior, fluxes of six lines from these, with S/N of Hb from 0.5 to
50. Ranks of the truth must be uniform: KS and folded KS, Bonferroni over three parameters and two tests; with errors
scaled by 0.75 the same test must fail. On the same spectra: the mean of median Z minus truth for those in which every
line passes a cut. Writes results/lines_sbc.json.
"""

from __future__ import annotations

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
from resumable import write
from scipy.stats import kstest

import jaxmetal as jm
from jaxmetal.spaxel.adaptive import Levels, quantiles, share_below
from jaxmetal.spaxel.integrate import draws, posterior_grid

LINES = ("OII", "Hg", "Hb", "OIII5007", "Ha", "NII6584")
HB_MEAN, SEED, DRAWS = 1.0, 20_260, 999


def simulated(likelihood: jm.spaxel.Fluxes, count: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Parameters from the prior, fluxes and their errors; S/N is that of the prior's mean Hb."""
    rng = np.random.default_rng(SEED)
    z, a_v = rng.uniform(*likelihood.z_range, count), rng.uniform(*likelihood.a_v_range, count)
    hb = rng.exponential(HB_MEAN, count)
    offsets = rng.standard_normal((count, len(likelihood.emission.calibrations)))
    sigma = np.repeat((HB_MEAN / np.exp(rng.uniform(np.log(0.5), np.log(50.0), count)))[:, None], len(LINES), axis=1)
    model = hb[:, None] * np.asarray(likelihood.emission(z, a_v, offsets * likelihood.emission.scatter(z)))
    flux = model + sigma * rng.standard_normal(model.shape)
    intrinsic = np.asarray(likelihood.emission.intrinsic_hbeta(hb, a_v))
    return {"z": z, "a_v": a_v, "hb": intrinsic}, flux, sigma


@functools.partial(jax.jit, static_argnames="levels")
def ranks(likelihood, flux, sigma, truth, keys, levels):
    """Rank of each truth in its posterior, and the median of Z; vectorised in steps."""

    def one(row):
        flux, sigma, truth, key = row
        found = posterior_grid(likelihood, flux, sigma, levels)
        in_z, in_a_v = found.mass.sum(axis=1), found.mass.sum(axis=0)
        hb = draws(likelihood, flux, sigma, found, key, DRAWS)[2]
        return {
            "z": share_below(found.z, in_z, truth["z"]),
            "a_v": share_below(found.a_v, in_a_v, truth["a_v"]),
            "hb": jnp.mean(hb < truth["hb"]),
            "median": quantiles(found.z, in_z, jnp.array([0.5]))[0],
        }

    return jax.lax.map(one, (flux, sigma, truth, keys), batch_size=8)


def smallest_p(found: dict[str, np.ndarray]) -> dict[str, float]:
    """The smaller p of KS on ranks and on folded ranks, per parameter."""
    return {
        name: float(min(kstest(u, "uniform").pvalue, kstest(np.abs(2.0 * u - 1.0), "uniform").pvalue))
        for name, u in ((name, np.asarray(found[name])) for name in ("z", "a_v", "hb"))
    }


def bias(difference: np.ndarray) -> dict[str, float]:
    """Mean and its error, dex."""
    return {
        "spectra": difference.size,
        "mean (dex)": float(difference.mean()),
        "error (dex)": float(difference.std() / np.sqrt(difference.size)),
    }


def main(count: int) -> None:
    """All ranks and cuts."""
    jax.config.update("jax_enable_x64", True)
    likelihood = jm.spaxel.fluxes(LINES, "M08", hb_mean=HB_MEAN)
    truth, flux, sigma = simulated(likelihood, count)
    keys = jax.random.split(jax.random.key(SEED), count)
    honest = ranks(likelihood, flux, sigma, truth, keys, Levels())
    wrong = ranks(likelihood, flux, 0.75 * sigma, truth, keys, Levels())
    p, planted = smallest_p(honest), smallest_p(wrong)
    difference = np.asarray(honest["median"]) - truth["z"]
    cuts = {}
    for limit in (3.0, 4.0, 5.0):
        passed = np.all(flux > limit * sigma, axis=1)
        upper = truth["z"] > 8.2
        cuts[f"all six lines above {limit:g} sigma"] = {
            **bias(difference[passed]),
            "mean true Z of what is kept minus that of all (dex)": float(truth["z"][passed].mean() - truth["z"].mean()),
            "those of 8.2 and above": bias(difference[passed & upper]),
        }
    write(
        "lines_sbc",
        {
            "spectra": count,
            "smallest p, Bonferroni-corrected (bar: > 0.01)": min(1.0, 6.0 * min(p.values())),
            "the same with errors scaled by 0.75 (must fail)": min(1.0, 6.0 * min(planted.values())),
            "p": p,
            "p with errors scaled by 0.75": planted,
            "median Z minus truth, no cut": bias(difference),
            "the same of 8.2 and above": bias(difference[truth["z"] > 8.2]),
            "cuts": cuts,
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
