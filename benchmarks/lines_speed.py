"""Spaxels per second, and memory, of the default likelihood; against emcee at the settings of Wang et al. 2017.

    python benchmarks/lines_speed.py

10,000 spaxels of six lines in float64 and in float32 (second call, and the first with its compilation), a map of
300 x 300 spaxels and seven lines (peak resident memory), each in its own process; emcee with 100 walkers is timed over
300 steps and scaled to 5,000, called walker by walker as usual and vectorised by numpy. Writes
results/lines_speed.json.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

SIX = ("OII", "Hg", "Hb", "OIII5007", "Ha", "NII6584")
STEPS, FULL = 300, 5000
MAPS = {"six": (SIX, (10_000,)), "seven": ((*SIX, "NeIII"), (300, 300))}


def one_map(precision: str, which: str) -> dict[str, float]:
    """Times and peak memory of one map, in this process."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    import jaxmetal as jm

    features, shape = MAPS[which]
    likelihood = jm.spaxel.fluxes(features, "M08")
    rng = np.random.default_rng(3)
    z, a_v, sn = rng.uniform(7.2, 9.1, shape), rng.uniform(0.0, 2.0, shape), 10 ** rng.uniform(-0.3, 1.7, shape)
    clean = np.asarray(likelihood.emission(z, a_v), float)
    sigma = np.broadcast_to(1.0 / sn[..., None], clean.shape)
    flux = clean + sigma * rng.standard_normal(clean.shape)
    start = time.perf_counter()
    found = jm.spaxel.posterior(likelihood, flux, sigma)
    first = time.perf_counter() - start
    second = first
    if which == "six":
        start = time.perf_counter()
        found = jm.spaxel.posterior(likelihood, flux, sigma)
        second = time.perf_counter() - start
    bright = sn > 10.0
    return {
        "first call (s)": first,
        "second call (s)": second,
        "spaxels": float(np.prod(shape)),
        "peak memory (GiB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0**2,
        "median |Z - truth| where S/N > 10 (dex)": float(np.median(np.abs(found["z"] - z)[bright])),
    }


def in_a_process(precision: str, which: str) -> dict[str, float]:
    """The same, alone."""
    done = subprocess.run(
        [sys.executable, __file__, precision, which], capture_output=True, text=True, check=True, env=os.environ
    )
    return json.loads(done.stdout.splitlines()[-1])


def emcee_per_spaxel(vectorize: bool) -> float:
    """Seconds for 100 walkers and 5,000 steps, from 300."""
    import emcee
    from lines_wang17 import EXTINCTION, WALKERS, log_posterior, ratios

    rng = np.random.default_rng(5)
    clean = 10.0 * ratios(np.array([8.4]))[0][0] * 10 ** (-0.4 * EXTINCTION)
    sigma = np.full(6, 0.04 * clean[2])
    flux = clean + sigma * rng.standard_normal(6)

    def single(theta: np.ndarray) -> float:
        return float(log_posterior(theta[None], flux, sigma)[0])

    def many(theta: np.ndarray) -> np.ndarray:
        return log_posterior(theta, flux, sigma)

    sampler = emcee.EnsembleSampler(WALKERS, 3, many if vectorize else single, vectorize=vectorize)
    first = np.array([8.4, 1.0, np.log(10.0)]) + 1e-2 * rng.standard_normal((WALKERS, 3))
    start = time.perf_counter()
    sampler.run_mcmc(first, STEPS)
    return (time.perf_counter() - start) * FULL / STEPS


def main() -> None:
    """Everything."""
    from resumable import write

    double, single = in_a_process("float64", "six"), in_a_process("float32", "six")
    large = {precision: in_a_process(precision, "seven") for precision in ("float64", "float32")}
    walker, vector = emcee_per_spaxel(False), emcee_per_spaxel(True)
    per_spaxel = double["second call (s)"] / double["spaxels"]
    write(
        "lines_speed",
        {
            "cores": os.cpu_count(),
            "10,000 spaxels, float64 (bar: 40 s)": double,
            "10,000 spaxels, float32": single,
            "300 x 300 x 7 lines (bar: 2 GiB)": large,
            "emcee, walker by walker, scaled from 300 to 5,000 steps (s per spaxel)": walker,
            "emcee, vectorised by numpy, scaled likewise (s per spaxel)": vector,
            "times faster than emcee walker by walker (bar: 3,000)": walker / per_spaxel,
            "times faster than emcee vectorised by numpy": vector / per_spaxel,
            "per spaxel (s)": per_spaxel,
        },
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(one_map(sys.argv[1], sys.argv[2])))
    else:
        main()
