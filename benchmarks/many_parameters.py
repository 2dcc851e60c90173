"""200 free numbers on a map of 30 x 30: how long the maximum takes, whether it is one, and what draws by NUTS cost.

A gradient with a free centre, and on top of it a table of 14 x 14 excesses, each N(0, 0.1 dex): what one would do to
look for inhomogeneities without saying where. The maximum is compared with that of scipy's dense BFGS, which starts at
the truth and climbs long. Usage:

    python benchmarks/many_parameters.py [--draws N]
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import write
from scipy.optimize import minimize

import jaxmetal as jm
from jaxmetal.fit import evaluate
from jaxmetal.fit.peaks import find_peaks
from jaxmetal.fit.problem import Problem, make, size, stack, unconstrain
from jaxmetal.fit.seeds import seed_of
from jaxmetal.numerics.convergence import effective_samples, r_hat

jax.config.update("jax_enable_x64", True)

SHAPE, NODES, SIGMA = (30, 30), (14, 14), 0.03
SITES = "scene.sources.disc."


def scene(table: Any, central: Any, slope: Any, x0: Any, y0: Any) -> jm.Scene:
    """A gradient and a table on one disc."""
    parts = {
        "field": jm.tracer.Tabulated(values=table, grid=jm.Grid.regular(NODES, 0.2)),
        "gradient": jm.tracer.Gradient(central=central, slope=slope),
    }
    source = jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=y0, q=0.7, pa=30.0),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.6)},
        carries={"metallicity": jm.Carried(profile=jm.tracer.Sum(parts=parts), weight="line")},
    )
    return jm.Scene(sources={"disc": source})


def problem(seed: int = 3) -> tuple[jm.Scene, dict[str, Any], dict[str, Any]]:
    """Prior, observations, and the truth by site."""
    random = np.random.default_rng(seed)
    wide = dist.Normal(0.0, 0.1)
    prior = scene(wide.expand(NODES), dist.Uniform(7.0, 9.5), dist.Normal(0.0, 0.3), wide, wide)
    values = 0.1 * random.standard_normal(NODES), 8.6, -0.15, 0.03, -0.02
    truth = scene(*values)
    empty = jm.WeightedMap(
        grid=jm.Grid.regular(SHAPE, 0.1),
        data=np.zeros(SHAPE),
        psf=jm.instrument.Gaussian(fwhm=0.3),
        noise=jm.likelihood.Gaussian(sigma=SIGMA),
        used=np.ones(SHAPE, bool),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
    )
    exact = np.asarray(jm.predict(empty, truth, jm.prepare(truth, {"map": empty})["map"]).value)
    seen = {"map": dataclasses.replace(empty, data=exact + SIGMA * random.standard_normal(SHAPE))}
    profile = f"{SITES}carries.metallicity.profile.parts."
    names = [f"{profile}field.values", *(f"{profile}gradient.{end}" for end in ("central", "slope"))]
    return prior, seen, dict(zip([*names, f"{SITES}frame.x0", f"{SITES}frame.y0"], values, strict=True))


def timed(function: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """A result, and its seconds by the clock and of the processors."""
    clock, processors = time.perf_counter(), time.process_time()
    found = function()
    return found, {"wall": time.perf_counter() - clock, "processors": time.process_time() - processors}


def independent(problems: Problem, truth: dict[str, Any]) -> float:
    """Log posterior at the end of scipy's BFGS, from the truth."""
    sites = jax.tree.map(lambda leaf: leaf[0], problems.sites)

    def loss(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = evaluate.gradients(problems, [0], vector[None], 0.0)
        return -float(value[0]), -slope[0]

    start = np.asarray(unconstrain(sites, truth))
    return -minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-2, "maxiter": 1500}).fun


def chains(prior: jm.Scene, seen: dict[str, Any], draws: int) -> dict[str, Any]:
    """What `auto` chooses, how its chains went and what they cost."""
    found, seconds = timed(lambda: jm.fit.auto(prior, seen, seed=1, draws=draws, progress=False))
    return {
        "decisions": found.decisions,
        "chains": 4,
        "draws": draws,
        "seconds": seconds,
        "stages": found.seconds,
        "gradients_per_draw": found.sampler["leapfrogs"].mean(),
        "accept": found.sampler["accept"].mean(),
        "divergent": int(found.sampler["diverging"].sum()),
        "r_hat": max(r_hat(values) for values in found.draws.values()),
        "effective_samples": min(effective_samples(values) for values in found.draws.values()),
    }


def main() -> None:
    """Runs all and writes results/many_parameters.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200, help="of each of 4 chains; 0 for none")
    asked = parser.parse_args()
    prior, seen, truth = problem()
    problems = stack([make(prior, seen)])
    spent: list[int] = []
    gradients = evaluate.gradients

    def counted(problems: Problem, which: Any, *rest: Any) -> Any:
        spent.append(len(which))
        return gradients(problems, which, *rest)

    evaluate.gradients = counted
    (_, first), cold = timed(lambda: find_peaks(problems, [seed_of(0)]))
    spent.clear()
    (_, (peak,)), warm = timed(lambda: find_peaks(problems, [seed_of(0)]))
    taken = sum(spent)
    one = timed(lambda: gradients(problems, np.zeros(100, int), np.repeat(first[0].gaussian.mode[None], 100, 0)))[1]
    content = {
        "free": size(make(prior, seen).sites),
        "map": SHAPE,
        "load": os.getloadavg()[0],
        "maximum": {
            "status": peak.status.name,
            "seconds": warm,
            "seconds_with_compilation": cold,
            "gradients": taken,
            "ms_per_gradient": 10.0 * one["wall"],
            "log_posterior": peak.log_posterior,
            "log_posterior_by_scipy": independent(problems, truth),
        },
    }
    write("many_parameters", content | ({"draws": chains(prior, seen, asked.draws)} if asked.draws else {}))


if __name__ == "__main__":
    main()
