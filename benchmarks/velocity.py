"""Fits of a rotating disc at low signal: stored draws are the sampler's, whatever turn an angle is on.

    python benchmarks/velocity.py [noise draws, default 20]

A map of 120 velocities, each with an error of 2.5 amplitudes (S/N about 2 in all), under two priors of the position
angle: uniform all round, and a Normal of 150 degrees. Half a turn is another model here, so that draws folded by 180
degrees would be those of a galaxy that turns the other way; whole turns are the same model, but not the same prior. Of
every stored draw chi2 is computed anew from the prediction, and compared with what the sampler recorded while it ran:
its log density, less that of the prior in its own coordinates. Summaries are compared with those of angles on a circle
of 360 degrees. Writes results/velocity.json; resumable.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write
from scipy.stats import norm

import jaxmetal as jm
from jaxmetal.fit.choose import posterior
from jaxmetal.fit.method import Options
from jaxmetal.fit.problem import make, stack
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.solve import solve
from jaxmetal.model import tree
from jaxmetal.prepared import predictions
from jaxmetal.prior import fill, split

SHAPE, SIGMA = (12, 10), 250.0
PA = "scene.sources.disc.frame.pa"
TRUTH = {"pa": 170.0, "systemic": 0.0, "amplitude": 100.0, "r_turn": 0.4}
ANGLES = {"uniform": dist.Uniform(0.0, 360.0), "normal": dist.Normal(120.0, 150.0)}
SAME = 1e-6
"""Largest difference of a chi2 that is rounding."""


def scene(pa: Any, systemic: Any, amplitude: Any, r_turn: Any) -> jm.Scene:
    rotation = jm.tracer.Rotation(systemic=systemic, amplitude=amplitude, r_turn=r_turn)
    source = jm.Source(
        frame=jm.frame.Disc(q=0.6, pa=pa),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.6)},
        carries={"velocity": jm.Carried(profile=rotation, weight="line")},
    )
    return jm.Scene(sources={"disc": source})


def prior(angle: str) -> jm.Scene:
    return scene(ANGLES[angle], dist.Normal(0.0, 50.0), dist.HalfNormal(200.0), dist.LogNormal(-1.0, 0.5))


def observed(seed: int, sigma: float = SIGMA) -> jm.WeightedMap:
    empty = jm.WeightedMap(
        data=np.zeros(SHAPE),
        noise=jm.likelihood.Gaussian(sigma=np.full(SHAPE, sigma)),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        properties=("velocity",),
        mixing=jm.mixing.Linear(unit="km/s"),
        used=np.ones(SHAPE, bool),
    )
    truth = scene(**TRUTH)
    exact = predictions({"map": empty}, truth, jm.prepare(truth, {"map": empty}))["map"].value
    noise = sigma * np.random.default_rng([seed, 17]).standard_normal(SHAPE)
    return dataclasses.replace(empty, data=np.asarray(exact) + noise)


@jax.jit
def _chi2(skeleton: Any, plans: Any, flat: dict[str, jax.Array]) -> jax.Array:
    def one(values: dict[str, jax.Array]) -> jax.Array:
        filled = fill(skeleton, values)
        seen = jm.predict(filled["map"], filled["scene"], plans["map"]).value
        return (((filled["map"].data - seen) / SIGMA) ** 2).sum()

    return jax.lax.map(one, flat)


def chi2(whole: dict[str, Any], plans: Any, draws: dict[str, np.ndarray]) -> np.ndarray:
    """Of every draw, from its prediction."""
    flat = {name: values.ravel() for name, values in draws.items()}
    return np.asarray(_chi2(split(whole)[0], plans, flat)).reshape(draws[PA].shape)


def one(key: tuple[int, str], **settings: Any) -> dict[str, Any]:
    """The fit of one noise draw under one prior."""
    seed, angle = key
    fitted, seen = prior(angle), {"map": observed(seed)}
    problem = make(fitted, seen)
    _, (solution,) = solve(stack([problem]), [seed_of(seed)], Options(**settings))
    whole, sampler = tree(fitted, seen), solution.sampler
    made = posterior(whole, problem, solution, seed, {})
    # All priors have quantiles: the sampler's own coordinates are standard normal numbers.
    recorded = -2.0 * (sampler.log_density - norm.logpdf(sampler.vectors).sum(axis=-1))
    recorded -= SHAPE[0] * SHAPE[1] * np.log(2.0 * np.pi * SIGMA**2)
    found = chi2(whole, problem.plans, made.draws)
    view = jm.result.view(made)
    told = next(one for one in view.parameters if one.site == PA)
    turned = np.abs(np.exp(1j * np.deg2rad(made.draws[PA])).mean())
    about = made.best[PA] + np.mod(made.draws[PA] - made.best[PA] + 90.0, 180.0) - 90.0
    return {
        "method": made.method,
        "k_hat": made.k_hat,
        "findings": [str(finding) for finding in made.findings],
        "difference": float(np.abs(found - recorded).max()),
        "chi2": np.quantile(found, [0.0, 0.05, 0.5, 0.95, 1.0]).tolist(),
        "mean": float(found.mean()),
        "mean_recorded": float(recorded.mean()),
        "mean_folded_by_180": float(chi2(whole, problem.plans, {**made.draws, PA: about}).mean()),
        "beyond_90": float(np.mean(np.abs(told.draws - made.best[PA]) > 90.0)),
        "other_turns": float(np.mean(np.abs(made.draws[PA] - made.best[PA]) > 180.0)),
        "period": view.meanings[PA].period,
        "spread": float(np.ptp(told.draws)),
        "sd": told.sd,
        "circular_sd": float(np.rad2deg(np.sqrt(-2.0 * np.log(turned)))),
        "r_hat": max(one.r_hat for one in view.parameters),
    }


def main() -> None:
    """Runs all and writes results/velocity.json."""
    jax.config.update("jax_enable_x64", True)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rows = run("velocity", [[seed, angle] for angle in ANGLES for seed in range(count)], one)

    def by(angle: str, name: str) -> np.ndarray:
        return np.array([row[name] for row in rows if row["key"][1] == angle and row["key"][0] < count])

    content: dict[str, Any] = {"noise draws": count, "data": SHAPE[0] * SHAPE[1]}
    for angle in ANGLES:
        content[f"{angle} prior"] = {
            f"chi2 stored against recorded, largest difference (bar: {SAME:g})": by(angle, "difference").max(),
            "mean chi2, stored and recorded": [by(angle, "mean").mean(), by(angle, "mean_recorded").mean()],
            "mean chi2 were draws folded by 180": by(angle, "mean_folded_by_180").mean(),
            "draws of the other sense of rotation, of other turns": [
                by(angle, "beyond_90").mean(),
                by(angle, "other_turns").mean(),
            ],
            "largest R-hat": by(angle, "r_hat").max(),
        }
    write("velocity", content)


if __name__ == "__main__":
    main()
