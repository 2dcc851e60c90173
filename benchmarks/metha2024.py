"""Use case 1 of Metha et al. 2024 (RASTI, rzae010), section 4: recovery, coverage, and the bias of naive fits.

    python benchmarks/metha2024.py [draws per FWHM, default 200] [of them checked by NUTS, default 20]

A disc of half-light radius 1", n = 1, Z = 8 - 0.2 R / arcsec on 121 x 121 pixels of 0.066", sigma^2 = c1 + c2 / I. The
paper asks for 0.01 dex^2 at the centre and 0.02 at R_e, which c1 = 0.0077 and c2 = 0.0123 I(R_e) give with the I of the
disc before it is blurred. Which I enters c1 + c2 / I it does not say: here it is the blurred model, as in the authors'
notebook, so that sigma^2 is 0.0102, 0.0128 and 0.0173 at the centre and 0.0200, 0.0193 and 0.0217 at R_e for FWHM 0.1,
1 and 2". The paper's slopes of naive fits follow from that I (-0.108 at 2"), not from the other (-0.097). Writes
results/metha2024.json; the single fits are in results/metha2024_*.jsonl.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import cache
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

import jaxmetal as jm
from jaxmetal.classical import wls
from jaxmetal.likelihood import LightScaled
from jaxmetal.prepared import predictions

PIXELS, PIXEL = (121, 121), 0.066
CENTRAL, SLOPE = 8.0, -0.2
FWHMS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
MIXINGS = {"dex": jm.mixing.Dex, "linear": jm.mixing.Linear}
C1, C2_AT_RE = 0.0077, 0.0123
SITE = "scene.sources.disc.carries.metallicity.profile."
PUBLISHED_WLS = {0.7: -0.189, 1.0: -0.176, 1.5: -0.144, 2.0: -0.108}


def galaxy(central: Any, slope: Any) -> jm.Scene:
    """The scene; its light is known."""
    gradient = jm.tracer.Gradient(central=central, slope=slope)
    disc = jm.Source(
        frame=jm.frame.Disc(),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=1.0)},
        carries={"metallicity": jm.Carried(profile=gradient, weight="line")},
    )
    return jm.Scene(sources={"disc": disc})


TRUTH = galaxy(CENTRAL, SLOPE)
PRIOR = galaxy(dist.Uniform(7.0, 9.5), dist.Normal(0.0, 0.3))


@cache
def noise_free(fwhm: float, mixing: str) -> tuple[jm.WeightedMap, np.ndarray, np.ndarray]:
    """The observation without noise, its values and its standard deviations."""
    at_re = float(TRUTH.sources["disc"].lights["line"](1.0, 0.0)) * PIXEL**2
    observation = jm.WeightedMap(
        data=np.zeros(PIXELS),
        noise=LightScaled(c1=C1, c2=C2_AT_RE * at_re),
        grid=jm.Grid.regular(PIXELS, PIXEL),
        psf=jm.instrument.Gaussian(fwhm=fwhm),
        properties=("metallicity",),
        mixing=MIXINGS[mixing](),
        used=np.ones(PIXELS, bool),
    )
    seen = {"map": observation}
    prediction = predictions(seen, TRUTH, jm.prepare(TRUTH, seen))["map"]
    sigma = observation.noise.standard_deviation(prediction.value, prediction.light)
    return observation, np.asarray(prediction.value), np.asarray(sigma)


def fitted(fwhm: float, generated: str, mixing: str, seed: int, method: str) -> dict[str, Any]:
    """Draws noise, fits, and says where the truth lies in the posterior."""
    _, value, sigma = noise_free(fwhm, generated)
    observation = noise_free(fwhm, mixing)[0]
    data = value + sigma * np.random.default_rng(seed).standard_normal(value.shape)
    posterior = jm.fit.auto(
        PRIOR,
        {"map": dataclasses.replace(observation, data=data)},
        method=method,
        seed=seed,
        draws=150,
        start_count=1,
        progress=False,
    )
    drawn = {name: posterior.draws[SITE + name].ravel() for name in ("central", "slope")}
    truth = {"central": CENTRAL, "slope": SLOPE}
    return {
        "k_hat": posterior.k_hat,
        "median": {n: float(np.median(v)) for n, v in drawn.items()},
        "sd": {n: float(np.std(v)) for n, v in drawn.items()},
        "rank": {n: float(np.mean(v < truth[n])) for n, v in drawn.items()},
    }


def naive_slope(fwhm: float) -> float:
    """WLS on spaxels of the noise-free map, dex per arcsec."""
    observation, value, sigma = noise_free(fwhm, "dex")
    radius = np.hypot(*observation.grid.centres())
    return float(wls(radius.ravel(), value.ravel(), sigma.ravel()).slope)


def inside(rows: list[dict[str, Any]], parameter: str, level: float) -> int:
    """How many central intervals of that level hold the truth."""
    return sum(abs(row["rank"][parameter] - 0.5) < level / 2 for row in rows)


def main(count: int, checks: int) -> None:
    """All of section 4."""
    jax.config.update("jax_enable_x64", True)
    keys = [[fwhm, g, m] for fwhm in FWHMS for g in MIXINGS for m in MIXINGS]
    single = run("metha2024_recovery", keys, lambda k: fitted(k[0], k[1], k[2], 1000 + FWHMS.index(k[0]), "laplace"))
    recovery = {
        mixing: {
            p: {"in_68": inside(rows, p, 0.68), "in_95": inside(rows, p, 0.95), "of": len(rows)}
            for p in ("central", "slope")
        }
        for mixing in MIXINGS
        for rows in [[row for row in single if row["key"][1:] == [mixing, mixing]]]
    }
    cross = [
        {
            "fwhm": row["key"][0],
            "generated": row["key"][1],
            "fitted": row["key"][2],
            "slope": row["median"]["slope"],
            "sd": row["sd"]["slope"],
        }
        for row in single
        if row["key"][1] != row["key"][2]
    ]
    keys = [[fwhm, mixing, seed] for fwhm in (1.0, 2.0) for mixing in MIXINGS for seed in range(count)]
    many = run("metha2024_coverage", keys, lambda k: fitted(k[0], k[1], k[1], 5000 + k[2], "laplace"))
    coverage = {}
    for fwhm in (1.0, 2.0):
        for mixing in MIXINGS:
            rows = [row for row in many if row["key"][:2] == [fwhm, mixing]]
            coverage[f"{mixing} {fwhm}"] = {p: inside(rows, p, 0.68) / len(rows) for p in ("central", "slope")} | {
                "narrower by 0.75": {p: shrunk_coverage(rows, p, 0.75) for p in ("central", "slope")},
                "worst k_hat": max(row["k_hat"] for row in rows),
                "draws": len(rows),
            }
    nuts = run("metha2024_nuts", list(range(min(checks, count))), lambda k: fitted(1.0, "dex", "dex", 5000 + k, "nuts"))
    pairs = zip([row for row in many if row["key"][:2] == [1.0, "dex"]], nuts, strict=False)
    agreement = [abs(a["median"]["slope"] - b["median"]["slope"]) / b["sd"]["slope"] for a, b in pairs]
    write(
        "metha2024",
        {
            "recovery (bars: in_68 >= 3, in_95 >= 6 of 8)": recovery,
            "cross_fits": cross,
            "coverage_68 (bar: 0.58 to 0.78)": coverage,
            "median differences of Laplace + PSIS and NUTS on the same data, in sd": agreement,
            "naive WLS slopes [measured, published] (bar: within 0.003)": {
                str(fwhm): [naive_slope(fwhm), published] for fwhm, published in PUBLISHED_WLS.items()
            },
        },
    )


def shrunk_coverage(rows: list[dict[str, Any]], parameter: str, factor: float) -> float:
    """Coverage of the 68 % interval if posteriors were narrower by a factor: the test must notice."""
    truth = {"central": CENTRAL, "slope": SLOPE}[parameter]
    pulls = [abs(row["median"][parameter] - truth) / row["sd"][parameter] for row in rows]
    return float(np.mean(np.array(pulls) < factor * 0.9945))


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [200, 20][len(given) :]))
