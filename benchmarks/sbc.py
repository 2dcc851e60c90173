"""Simulation-based calibration (Talts et al. 2018) on 31 x 37 maps, and on four line maps of 9 x 10 pixels.

    python benchmarks/sbc.py gradient|clumps|lines [simulations, default 300] [factor on the model's PSF, default 1]

Parameters are drawn from the prior, data from the parameters; ranks of the truth in the posterior must be uniform: KS
and folded KS, Bonferroni over parameters and tests. Each rank is also computed with posteriors narrowed by 0.75, which
the test must notice. Writes results/sbc_<case>.json; single simulations in results/sbc_<case>.jsonl.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from resumable import run, write
from scipy.stats import kstest

import jaxmetal as jm
from jaxmetal.likelihood import Gaussian
from jaxmetal.machine import keep_memory
from jaxmetal.model import SCENE, tree
from jaxmetal.prepared import predictions
from jaxmetal.prior import fill, sites

SHAPE, PIXEL, FWHM = (31, 37), 0.1, 0.5
LINES, SMALL, COARSE = ("OII", "Hb", "OIII5007", "Ha"), (9, 10), 0.2


def gradient() -> jm.Scene:
    """A disc with free geometry, size, flux and metallicity gradient."""
    disc = jm.Source(
        frame=jm.frame.Disc(
            x0=dist.Normal(0.0, 0.1), y0=dist.Normal(0.0, 0.1), q=dist.Uniform(0.3, 0.9), pa=dist.Normal(40.0, 20.0)
        ),
        lights={"line": jm.light.Exponential(flux=dist.LogNormal(0.0, 0.2), r_eff=dist.LogNormal(-0.4, 0.2))},
        carries={
            "metallicity": jm.Carried(
                profile=jm.tracer.Gradient(central=dist.Normal(8.5, 0.3), slope=dist.Normal(-0.1, 0.2)), weight="line"
            )
        },
    )
    return jm.Scene(sources={"disc": disc})


def clumps() -> jm.Scene:
    """Three round clumps of free flux, each of one metallicity."""
    places = {"a": (-0.6, -0.3), "b": (0.5, -0.2), "c": (0.1, 0.7)}
    return jm.Scene(
        sources={
            name: jm.Source(
                frame=jm.frame.Disc(x0=x0, y0=y0),
                lights={"line": jm.light.Exponential(flux=dist.LogNormal(0.0, 0.3), r_eff=0.25)},
                carries={
                    "metallicity": jm.Carried(profile=jm.tracer.Constant(value=dist.Normal(8.5, 0.3)), weight="line")
                },
            )
            for name, (x0, y0) in places.items()
        }
    )


def dusty() -> jm.Scene:
    """A disc in line emission, with a gradient, dust, and gas that departs from both of the calibrations."""
    standard = dist.Normal(0.0, 1.0)
    gradient = jm.tracer.Gradient(central=dist.Normal(8.4, 0.2), slope=dist.Normal(-0.2, 0.3))
    disc = jm.Source(
        frame=jm.frame.Disc(q=0.7, pa=40.0),
        lights={"Hbeta": jm.light.Exponential(flux=dist.LogNormal(4.6, 0.3), r_eff=dist.LogNormal(-0.9, 0.2))},
        carries={
            "metallicity": jm.Carried(profile=gradient, weight="Hbeta"),
            "extinction": jm.Carried(profile=jm.tracer.Constant(value=dist.Uniform(0.0, 2.0)), weight="Hbeta"),
        },
        departures={"R2": standard, "R3": standard},
    )
    return jm.Scene(sources={"disc": disc})


def spectrograph(fwhm: float) -> dict[str, Any]:
    """Four lines, the redder the sharper; Hb has a peak signal-to-noise of about 10."""
    return {
        "lines": jm.recipes.line_maps(
            {name: np.zeros(SMALL) for name in LINES},
            jm.lines.emission(LINES, "C20", law="CCM89"),
            psf=lambda wavelength: jm.instrument.Gaussian(fwhm=fwhm * (wavelength / 5000.0) ** -0.2),
            sigma=0.2,
            pixel_scale=COARSE,
        )
    }


def instrument(fwhm: float) -> dict[str, Any]:
    """An image and a metallicity map of the same line."""
    shared = {"grid": jm.Grid.regular(SHAPE, PIXEL), "psf": jm.instrument.Gaussian(fwhm=fwhm), "data": np.zeros(SHAPE)}
    used = np.ones(SHAPE, bool)
    return {
        "image": jm.Image(noise=Gaussian(sigma=3e-4), light="line", used=used, **shared),
        "map": jm.WeightedMap(
            noise=Gaussian(sigma=0.15), properties=("metallicity",), mixing=jm.mixing.Dex(), used=used, **shared
        ),
    }


class Case(NamedTuple):
    """What is simulated and fitted: a prior, what observes it as a function of the PSF's FWHM, and draws of a chain."""

    prior: Callable[[], jm.Scene]
    observed: Callable[[float], dict[str, Any]]
    draws: int = 500


CASES = {
    "gradient": Case(gradient, instrument),
    "clumps": Case(clumps, instrument),
    "lines": Case(dusty, spectrograph, draws=250),
}


def simulated(case: Case, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Parameters from the prior and noisy data from the parameters."""
    prior, observations = case.prior(), case.observed(FWHM)
    free = sites(tree(prior, {}))
    keys = jax.random.split(jax.random.key(seed), len(free) + len(observations))
    truth = {name: d.sample(key) for (name, d), key in zip(free.items(), keys, strict=False)}
    sky = fill({SCENE: prior}, truth)[SCENE]
    seen = predictions(observations, sky, jm.prepare(prior, observations))
    drawn = {}
    for (name, observation), key in zip(observations.items(), keys[len(free) :], strict=True):
        prediction = seen[name]
        drawn[name] = np.asarray(observation.noise.draw(key, prediction.value, prediction.light))
    return {name: np.asarray(value) for name, value in truth.items()}, drawn


def one(case: str, seed: int, psf_factor: float) -> dict[str, Any]:
    """Simulates and fits once."""
    prior = CASES[case].prior()
    truth, data = simulated(CASES[case], seed)
    observations = {
        name: dataclasses.replace(observation, data=data[name])
        for name, observation in CASES[case].observed(psf_factor * FWHM).items()
    }
    posterior = jm.fit.auto(prior, observations, seed=seed, draws=CASES[case].draws, start_count=2, progress=False)
    row: dict[str, Any] = {
        "method": posterior.method,
        "k_hat": posterior.k_hat,
        "ranks": {},
        "narrowed": {},
        "shrinkage": {},
    }
    row["findings"] = [str(finding) for finding in posterior.findings if finding.severity != "info"]
    for name, draws in posterior.draws.items():
        flat, prior_sd = draws.ravel(), float(jnp.sqrt(sites(tree(prior, {}))[name].variance))
        value = truth[name] if not name.endswith(".pa") else flat.mean() + (truth[name] - flat.mean() + 90) % 180 - 90
        row["ranks"][name] = float(np.mean(flat < value))
        row["narrowed"][name] = float(np.mean(flat.mean() + 0.75 * (flat - flat.mean()) < value))
        row["shrinkage"][name] = float(flat.std() / prior_sd)
    return row


def uniformity(ranks: np.ndarray) -> float:
    """The smaller p of KS on the ranks and on the folded ranks |2u - 1|."""
    return float(min(kstest(ranks, "uniform").pvalue, kstest(np.abs(2 * ranks - 1), "uniform").pvalue))


def main(case: str, count: int, psf_factor: float) -> None:
    """All simulations and the tests."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    name = f"sbc_{case}" + ("" if psf_factor == 1 else f"_psf{psf_factor}")
    rows = run(name, list(range(count)), lambda seed: one(case, 70_000 + seed, psf_factor))
    names = list(rows[0]["ranks"])
    tests = 2 * len(names)
    p = {n: uniformity(np.array([row["ranks"][n] for row in rows])) for n in names}
    narrowed = {n: uniformity(np.array([row["narrowed"][n] for row in rows])) for n in names}
    write(
        name,
        {
            "simulations": len(rows),
            "psf_factor": psf_factor,
            "smallest p, Bonferroni-corrected (bar: > 0.01)": min(1.0, tests * min(p.values())),
            "the same with posteriors narrowed by 0.75 (must fail)": min(1.0, tests * min(narrowed.values())),
            "p": p,
            "p_narrowed": narrowed,
            "median posterior sd / prior sd": {
                n: float(np.median([row["shrinkage"][n] for row in rows])) for n in names
            },
            "methods": {m: sum(row["method"] == m for row in rows) for m in {row["method"] for row in rows}},
            "fits with findings": sum(bool(row["findings"]) for row in rows),
        },
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300, float(sys.argv[3]) if len(sys.argv) > 3 else 1.0)
