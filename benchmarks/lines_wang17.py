"""The likelihood of Wang et al. 2017 on simulated integrated fluxes: the grid against emcee at the paper's settings.

    python benchmarks/lines_wang17.py [galaxies, default 3]

emcee: 100 walkers, 5,000 steps of which 2,000 are left out, on a numpy copy of eq. 2. Medians and widths must agree
within the Monte Carlo error of the chains. Writes results/lines_wang17.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

import emcee
import jax
import numpy as np
from resumable import write

import jaxmetal as jm

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from spectra import CCM89, m08

FEATURES = ("OII", "Hg", "Hb", "OIII5007", "Ha+NII", "SII")
SULPHUR = (-0.5457, 0.4573, -0.8227, -0.0284, 0.594, 0.3426)
HB_RANGE, WALKERS, STEPS, BURN = (1e-2, 1e3), 100, 5000, 2000
EXTINCTION = np.array([CCM89[name] for name in ("OII", "Hg", "Hb", "OIII5007", "Ha", "SII")])


def ratios(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R and sigma_R over Hb, shape (walkers, 6)."""
    blend, zero = 2.86 * 1.05, 0.0 * z
    sii = 2.86 * 10 ** np.polynomial.polynomial.polyval(z - 8.69, SULPHUR)
    r = np.stack([10 ** m08("R2", z), zero + 0.47, zero + 1.0, 10 ** m08("R3", z), zero + blend, sii], axis=-1)
    dex = np.stack([m08("R2", z, "scatter"), zero, zero, m08("R3", z, "scatter"), zero, zero + 0.11], axis=-1)
    return r, 0.5 * r * (10**dex - 10**-dex)


def log_posterior(theta: np.ndarray, flux: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Eq. 2 with its priors, for walkers (Z, A_V, ln Hb)."""
    z, a_v, ln_hb = theta.T
    inside = (z > 7.0) & (z < 9.3) & (a_v > 0.0) & (a_v < 4.0)
    inside &= (ln_hb > np.log(HB_RANGE[0])) & (ln_hb < np.log(HB_RANGE[1]))
    bright, hb = 10 ** (0.4 * a_v[:, None] * EXTINCTION), np.exp(ln_hb)[:, None]
    r, spread = ratios(np.clip(z, 7.1, 9.2))
    chi2 = ((flux * bright - r * hb) ** 2 / ((sigma * bright) ** 2 + (spread * hb) ** 2)).sum(axis=1)
    return np.where(inside, -0.5 * chi2, -np.inf)


def walk(flux: np.ndarray, sigma: np.ndarray, start: np.ndarray, steps: int, seed: int) -> emcee.EnsembleSampler:
    """Chains around a start."""
    np.random.seed(seed)
    sampler = emcee.EnsembleSampler(WALKERS, 3, log_posterior, args=(flux, sigma), vectorize=True)
    sampler.run_mcmc(start + 1e-2 * np.random.randn(WALKERS, 3), steps)
    return sampler


def main(count: int) -> None:
    """All galaxies."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(17)
    likelihood = jm.spaxel.wang17(FEATURES, hb_range=HB_RANGE)
    rows = []
    for galaxy in range(count):
        z, a_v, hb = rng.uniform(8.2, 8.6), rng.uniform(0.3, 1.5), rng.uniform(5.0, 20.0)
        clean = hb * ratios(np.array([z]))[0][0] * 10 ** (-0.4 * a_v * EXTINCTION)
        sigma = np.full(6, 0.04 * clean[2])
        flux = clean + sigma * rng.standard_normal(6)
        found = jm.spaxel.posterior(likelihood, flux[None], sigma[None])
        sampler = walk(flux, sigma, np.array([z, a_v, np.log(hb)]), STEPS, galaxy)
        chain, tau = sampler.get_chain(discard=BURN, flat=True), sampler.get_autocorr_time(discard=BURN, tol=0)
        chain[:, 2] = np.exp(chain[:, 2])
        row = {}
        for i, name in enumerate(("z", "a_v", "hb")):
            low, median, high = np.quantile(chain[:, i], [0.16, 0.5, 0.84])
            width = 0.5 * (high - low)
            row[name] = {
                "truth": float((z, a_v, hb)[i]),
                "emcee median": float(median),
                "grid median": float(found[name][0]),
                "difference / sigma": float((found[name][0] - median) / width),
                "Monte Carlo error of emcee / sigma": float(1.25 / np.sqrt(chain.shape[0] / tau[i])),
                "ratio of widths": float(0.5 * (found[f"{name}_high"][0] - found[f"{name}_low"][0]) / width),
            }
        rows.append(row)
    write("lines_wang17", {"walkers": WALKERS, "steps": STEPS, "burn-in": BURN, "galaxies": rows})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
