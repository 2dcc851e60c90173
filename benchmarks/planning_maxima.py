"""Fisher errors of every parameter, of the noise too, against the scatter of 2,048 simulated maxima.

    python benchmarks/planning_maxima.py

A disc observed under six kinds of noise; expected is a ratio of 1 +- 0.016. Writes results/planning_maxima.json, and
every 64 maxima to planning_maxima.jsonl.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

from jaxmetal import likelihood, planning
from jaxmetal.planning.forecasts import CENTRAL, SLOPE
from jaxmetal.prior import fill

SETTING = planning.Setting(snr=400.0, fwhm_per_r_eff=0.5, pixels_per_r_eff=6.0)
BATCHES, COUNT = 32, 64
NOISE = "metallicity.noise."
TRUTH = {"jitter": 0.05, "scale": 1.2, "nu": 4.0, "c1": 0.01, "c2": 2e-5}
WIDE = {
    "jitter": dist.Uniform(0.0, 1.0),
    "scale": dist.Uniform(0.1, 10.0),
    "nu": dist.Uniform(0.5, 100.0),
    "c1": dist.Uniform(0.0, 1.0),
    "c2": dist.Uniform(0.0, 1e-2),
}
KINDS: dict[str, Any] = {
    "Gaussian, jitter free": lambda sigma: likelihood.Gaussian(sigma=sigma, jitter=WIDE["jitter"]),
    "Gaussian, scale free": lambda sigma: likelihood.Gaussian(sigma=sigma, scale=WIDE["scale"]),
    "Student-t": lambda sigma: likelihood.StudentT(sigma=sigma, nu=4.0),
    "Student-t, nu and scale free": lambda sigma: likelihood.StudentT(sigma=sigma, nu=WIDE["nu"], scale=WIDE["scale"]),
    "split normal": lambda sigma: likelihood.SplitNormal(lower=sigma, upper=3.0 * sigma),
    "light-scaled, c1 and c2 free": lambda sigma: likelihood.LightScaled(c1=WIDE["c1"], c2=WIDE["c2"]),
}


def planned(kind: str) -> tuple[Any, dict[str, Any], dict[str, float]]:
    """Prior scene, observation and truth, by the free parameters of its noise."""
    scene, maps, truth = planning.observed(SETTING)
    seen = maps["metallicity"]
    noise = KINDS[kind](seen.noise.sigma)
    scene = fill({"scene": scene}, {CENTRAL: dist.Normal(8.6, 3.0), SLOPE: dist.Normal(SETTING.slope, 3.0)})["scene"]
    truth |= {NOISE + name: TRUTH[name] for name in TRUTH if isinstance(getattr(noise, name, None), dist.Distribution)}
    return scene, {"metallicity": dataclasses.replace(seen, noise=noise)}, truth


def one(key: list[Any]) -> dict[str, Any]:
    kind, seed = key
    found = planning.maxima(*planned(kind), count=COUNT, seed=seed)
    return {name: values.tolist() for name, values in found.best.items()}


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    rows = run("planning_maxima", [[kind, seed] for kind in KINDS for seed in range(BATCHES)], one)
    table: dict[str, Any] = {}
    for kind in KINDS:
        scene, maps, truth = planned(kind)
        fisher, ours = planning.fisher(scene, maps, truth), [row for row in rows if row["key"][0] == kind]
        for name in fisher.names:
            best = np.concatenate([row[name] for row in ours])
            table[f"{kind}: {name.rsplit('.', 1)[1]}"] = {
                "Fisher error": fisher.error(name),
                "scatter of maxima / Fisher error": best.std(ddof=1) / fisher.error(name),
                "bias / scatter": (best.mean() - truth[name]) / best.std(ddof=1),
            }
    used = int(np.sum(planned("Student-t")[1]["metallicity"].used))
    write("planning_maxima", {"maxima of each kind": BATCHES * COUNT, "data": used, "parameters": table})


if __name__ == "__main__":
    main()
