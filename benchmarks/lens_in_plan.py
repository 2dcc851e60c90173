"""What a free scale of a deflection map costs: value and gradient of a density against those of the fixed map.

    python benchmarks/lens_in_plan.py

A lensed disc on 241 x 241 pixels, deflections tabulated; geometry, light and gradient free. Fixed, scaled and sheared
lens are one program each; all three are timed in turn, and the least of several rounds is kept. The density of
the scaled and sheared lens is compared with one that traces the lens anew. Writes results/lens_in_plan.json.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm
from jaxmetal.fit.problem import log_density, make, size

jax.config.update("jax_enable_x64", True)

SHAPE, STEP, ROUNDS = (241, 241), 0.05, 7
RESULTS = Path(__file__).with_name("results") / "lens_in_plan.json"


def lens(scale, gamma1):
    """An SIE's deflections as a map, and an external shear."""
    grid = jm.Grid.regular((301, 301), 0.06)
    x, y = grid.centres()
    alpha_x, alpha_y = jm.lens.SIE(theta_e=1.5, x0=0.013, y0=-0.017, q=0.7, pa=30.0)(x, y)
    deflections = jm.lens.Tabulated(alpha_x=np.asarray(alpha_x), alpha_y=np.asarray(alpha_y), grid=grid, scale=scale)
    return {"cluster": deflections, "field": jm.lens.Shear(gamma1=gamma1, gamma2=0.01)}


def problem(scale=1.0, gamma1=0.02):
    """Data, prior and plans."""
    frame = jm.frame.Disc(x0=dist.Normal(0.3, 0.1), y0=dist.Normal(-0.2, 0.1), q=dist.Uniform(0.3, 1.0), pa=30.0)
    light = jm.light.Sersic(flux=dist.LogNormal(0.0, 1.0), r_eff=dist.LogNormal(-0.7, 0.3), n=1.0)
    gradient = jm.tracer.Gradient(central=dist.Normal(8.6, 0.3), slope=dist.Normal(0.0, 0.3))
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=frame,
                lights={"line": light},
                carries={"metallicity": jm.Carried(profile=gradient, weight="line")},
            )
        },
        lens=lens(scale, gamma1),
    )
    data = 8.5 + 0.05 * np.random.default_rng(0).standard_normal(SHAPE)
    psf = jm.instrument.Gaussian(fwhm=0.15)
    observed = jm.recipes.metallicity_map(data, sigma=0.05, psf=psf, pixel_scale=STEP)
    return make(scene, {"map": observed})


def main() -> None:
    """Times all, compares, writes."""
    cases = {
        "fixed": problem(),
        "free scale": problem(scale=dist.Normal(1.0, 0.05)),
        "free shear": problem(gamma1=dist.Normal(0.02, 0.02)),
    }
    gradient = jax.jit(jax.value_and_grad(lambda vector, one: log_density(one, vector)))
    found, points, compiled = {}, {}, {}
    for name, one in cases.items():
        points[name] = 0.1 * jnp.ones(size(one.sites))
        began = time.perf_counter()
        jax.block_until_ready(gradient(points[name], one))
        compiled[name] = time.perf_counter() - began
    times = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, one in cases.items():
            began = time.perf_counter()
            jax.block_until_ready(gradient(points[name], one))
            times[name].append(time.perf_counter() - began)
    for name, one in cases.items():
        anew = {label: dataclasses.replace(plan, lens=None, fluxes={}, light=None) for label, plan in one.plans.items()}
        if name == "fixed":  # its lens stays in the plan alone
            anew = one.plans
        value, slopes = gradient(points[name], one)
        again, exact = gradient(points[name], dataclasses.replace(one, plans=anew))
        found[name] = {
            "gradient_ms": 1e3 * min(times[name]),
            "median_ms": 1e3 * float(np.median(times[name])),
            "over_fixed": min(times[name]) / min(times["fixed"]),
            "compile_s": compiled[name],
            "value_off": float(abs(value - again) / abs(again)),
            "gradient_off": float(jnp.max(jnp.abs(slopes - exact)) / jnp.max(jnp.abs(exact))),
        }
        print(name, found[name])
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
