"""One population of 50 galaxies by both routes: from stored posteriors, and jointly through the maps' likelihoods.

    python benchmarks/population_joint.py

Metallicity maps of galaxies with slope -0.02 dex/kpc per dex of mass and intrinsic scatter 0.03 dex/kpc; central value
and gradient of each are free. Route (a) fits every galaxy by itself under a N(0, 1.5 dex/arcsec) prior and reuses the
draws; it is repeated with other draws, whose change of the answer is the noise of reuse. Writes
results/population_joint.json.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import write

import jaxmetal as jm
from jaxmetal import population
from jaxmetal.numerics.convergence import effective_samples

TRUTH = {"central": -0.03, "slope.log_mass": -0.02, "scatter": 0.03}
SITE = "scene.sources.disc.carries.metallicity.profile.slope"
PIXEL, FWHM, KPC, PRIOR = 0.1, 0.25, 8.0, 1.5

COARSE = {"map": jm.Sampling(oversampling=2, margin=5)}
"""Without the polar core, four times faster; both routes look through it."""


def galaxy(slope: float, error: float, shape: tuple[int, int], seed: int) -> tuple[jm.Scene, dict[str, Any]]:
    """A prior scene and a simulated map with a gradient in dex/kpc, its errors `error` dex in every pixel."""

    def scene(central: Any, gradient: Any) -> jm.Scene:
        carried = jm.Carried(profile=jm.tracer.Gradient(central=central, slope=gradient), weight="line")
        lights = {"line": jm.light.Exponential(flux=1.0, r_eff=0.4)}
        frame = jm.frame.Disc(q=0.7, pa=30.0)
        return jm.Scene(sources={"disc": jm.Source(frame=frame, lights=lights, carries={"metallicity": carried})})

    blank = jm.recipes.metallicity_map(
        np.full(shape, 8.5), psf=jm.instrument.Gaussian(fwhm=FWHM), sigma=np.full(shape, error), pixel_scale=PIXEL
    )
    data = jm.simulate.draw(scene(8.5, slope * KPC), {"map": blank}, jax.random.key(seed))
    return scene(dist.Normal(8.5, 0.5), dist.Normal(0.0, PRIOR)), data


def simulated(count: int, shape: tuple[int, int], seed: int = 0) -> tuple[list[Any], population.Covariate]:
    """Galaxies of a known population, and their masses."""
    random = np.random.default_rng(seed)
    mass = random.normal(9.8, 0.6, count)
    slope = TRUTH["central"] + TRUTH["slope.log_mass"] * (mass - 10.0) + TRUTH["scatter"] * random.normal(size=count)
    errors = np.exp(random.uniform(np.log(0.3), np.log(2.0), count))
    made = [galaxy(s, e, shape, 1000 * seed + k) for k, (s, e) in enumerate(zip(slope, errors, strict=True))]
    return made, population.Covariate(values=mass, pivot=10.0)


def stored(galaxies: list[Any], draws: int, seed: int) -> population.Draws:
    """Every galaxy fitted by itself: draws of its gradient in dex/kpc and the log prior density there."""
    fits = [
        jm.fit.auto(
            prior,
            data,
            method="laplace",
            seed=1000 * seed + k,
            draws=draws // 4,
            start_count=1,
            sampling=COARSE,
            progress=False,
        )
        for k, (prior, data) in enumerate(galaxies)
    ]
    values = np.stack([fitted.flat()[SITE] for fitted in fits]) / KPC
    return population.Draws(values=values, log_prior=np.asarray(dist.Normal(0.0, PRIOR / KPC).log_prob(values)))


def compared(one: population.Relation, other: population.Relation) -> dict[str, Any]:
    """Differences of the means and ratios of the widths of two posteriors."""
    found = {}
    for name in TRUTH:
        a, b = one.draws[name], other.draws[name]
        error = np.sqrt(a.var() / effective_samples(a) + b.var() / effective_samples(b))
        found[name] = {
            "means": [float(a.mean()), float(b.mean())],
            "sds": [float(a.std()), float(b.std())],
            "difference in Monte Carlo errors": float((a.mean() - b.mean()) / error),
            "difference in posterior sds": float((a.mean() - b.mean()) / b.std()),
        }
    return found


def both(count: int, shape: tuple[int, int], draws: int, run: population.Run) -> tuple[population.Relation, ...]:
    """Route (a), route (a) with other draws, and route (b)."""
    galaxies, mass = simulated(count, shape)
    covariates = {"log_mass": mass}
    stack = population.stack(galaxies, SITE, KPC, sampling=COARSE)
    # The same priors for all: those of route (b).
    priors = population.default_priors(stack.measured("gradient", "dex/kpc"), covariates)
    del priors["nu"]
    first, second = (
        population.fit(stored(galaxies, draws, seed), covariates, priors=priors, run=run) for seed in (1, 2)
    )
    return first, second, population.joint(stack, covariates, priors=priors, run=run)


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    first, second, together = both(50, (11, 13), 2000, population.Run(chains=2, warmup=200, draws=600))
    values, sigma = together.quantity.points()
    write(
        "population_joint",
        {
            "galaxies": 50,
            "truth": TRUTH,
            "errors of single gradients, dex/kpc": [float(sigma.min()), float(np.median(sigma)), float(sigma.max())],
            "sd of single gradients, dex/kpc": float(values.std()),
            "reuse against joint": compared(first, together),
            "reuse against reuse of other draws": compared(first, second),
            "findings": {r.method: [str(f) for f in r.findings] for r in (first, together)},
        },
    )


if __name__ == "__main__":
    main()
