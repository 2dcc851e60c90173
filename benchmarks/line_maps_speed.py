"""What line maps cost: value and gradient beside one weighted map of the same size, and a fit from nothing.

    python benchmarks/line_maps_speed.py            (a minute or two on two cores)
    python benchmarks/line_maps_speed.py densities  (without the fit)

Six lines of 40 x 40 pixels, each under its own Gaussian PSF, one inclined Sersic disc with gradients of metallicity
and of dust, twelve numbers free; the weighted map is that of the metallicity, under one PSF, with all that it depends
on free. Both densities are timed in turn in one process, each the least of many. The fit, of data with Hb at a peak
signal-to-noise of 20, runs in a process of its own without any compiled program; its seconds are those of the whole
process on whatever else the machine does, and beside them stand those of its processors. Writes
results/line_maps_speed.json.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from density import compiled, least
from resumable import write

import jaxmetal as jm
from jaxmetal.fit import problem as posterior
from jaxmetal.numerics.convergence import effective_samples, r_hat
from jaxmetal.prepared import predictions
from jaxmetal.simulate.drawn import noisy

SHAPE, PIXEL, FWHM = (40, 40), 0.1, 0.5
LINES = ("OII", "Hg", "Hb", "OIII5007", "Ha", "NII6584")
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
TRUTH = {
    "q": 0.6, "pa": 40.0, "flux": 100.0, "r_eff": 0.6, "n": 1.0, "central": 8.6, "slope": -0.2, "a_v": 1.0,
    "dust": -0.3, "R2": 0.5, "R3": -0.7, "N2": 0.3,
}  # fmt: skip
PRIOR = {
    "q": dist.Uniform(0.2, 1.0), "pa": dist.Uniform(-50.0, 130.0), "flux": dist.LogNormal(4.6, 0.7),
    "r_eff": dist.LogNormal(-0.5, 0.5), "n": dist.LogNormal(0.0, 0.2), "central": dist.Uniform(7.6, 8.9),
    "slope": dist.Normal(0.0, 0.5), "a_v": dist.Uniform(0.0, 3.0), "dust": dist.Normal(0.0, 0.5),
    "R2": dist.Normal(0.0, 1.0), "R3": dist.Normal(0.0, 1.0), "N2": dist.Normal(0.0, 1.0),
}  # fmt: skip
SNR, WANTED = 20.0, 400


def scene(of: dict[str, Any]) -> jm.Scene:
    """The galaxy."""
    carried = {
        "metallicity": jm.tracer.Gradient(central=of["central"], slope=of["slope"]),
        "extinction": jm.tracer.Gradient(central=of["a_v"], slope=of["dust"]),
    }
    disc = jm.Source(
        frame=jm.frame.Disc(q=of["q"], pa=of["pa"]),
        lights={"Hbeta": jm.light.Sersic(flux=of["flux"], r_eff=of["r_eff"], n=of["n"])},
        carries={name: jm.Carried(profile=profile, weight="Hbeta") for name, profile in carried.items()},
        departures={name: of[name] for name in ("R2", "R3", "N2")},
    )
    return jm.Scene(sources={"disc": disc})


def psf(wavelength: float) -> jm.instrument.Gaussian:
    """Seeing is better in the red."""
    return jm.instrument.Gaussian(fwhm=FWHM * (wavelength / 5000.0) ** -0.2)


def line_maps(sigma: float) -> jm.LineMaps:
    """Six lines without data."""
    model = jm.lines.emission(LINES, "C20", law="CCM89")
    return jm.recipes.line_maps(
        {name: np.zeros(SHAPE) for name in LINES}, model, psf=psf, sigma=sigma, pixel_scale=PIXEL
    )


def observed() -> dict[str, jm.LineMaps]:
    """With data."""
    plain, truth = {"lines": line_maps(1.0)}, scene(TRUTH)
    seen = predictions(plain, truth, jm.prepare(truth, plain))
    sigma = float(seen["lines"].light[LINES.index("Hb")].max()) / SNR
    return noisy({"lines": line_maps(sigma)}, seen, jax.random.key(1))


def densities(seconds: float) -> dict[str, Any]:
    """Times of both, milliseconds."""
    weighted = jm.recipes.metallicity_map(
        8.5 + 0.05 * np.random.default_rng(1).standard_normal(SHAPE), sigma=0.05, psf=psf(5000.0), pixel_scale=PIXEL
    )
    seen_by_both = {**PRIOR, **{name: TRUTH[name] for name in ("flux", "a_v", "dust", "R2", "R3", "N2")}}
    runs: dict[str, Any] = {}
    free = {}
    for name, prior, data in (
        ("lines", scene(PRIOR), observed()),
        ("weighted map", scene(seen_by_both), {"map": weighted}),
    ):
        problem = posterior.make(prior, data)
        vector = posterior.unconstrain(problem.sites, {site: one.icdf(0.55) for site, one in problem.sites.items()})
        free[name] = len(problem.sites)
        for what, function in (
            ("value", posterior.log_density),
            ("gradient", jax.value_and_grad(posterior.log_density, argnums=1)),
        ):
            program, _ = compiled(function, problem, vector)
            runs[f"{name}, {what}"] = lambda run=program, at=(problem, vector): run(*at)
    times = least(runs, seconds)
    return {
        "free numbers": free,
        "milliseconds": {name: round(1e3 * t, 3) for name, t in times.items()},
        "value: lines over weighted map": times["lines, value"] / times["weighted map, value"],
        "value and gradient: lines over weighted map (bar: 6)": times["lines, gradient"]
        / times["weighted map, gradient"],
    }


def fitted() -> dict[str, Any]:
    """A fit in this process."""
    found = jm.fit.auto(scene(PRIOR), observed(), progress=False)
    slopes, used = found.draws[SLOPE], resource.getrusage(resource.RUSAGE_SELF)
    low, middle, high = np.percentile(slopes, [16.0, 50.0, 84.0])
    return {
        "method": found.method,
        "decisions": list(found.decisions),
        "effective samples of the slope": float(effective_samples(slopes)),
        "R-hat of the slope": float(r_hat(slopes)),
        "slope, dex/arcsec (true -0.2)": [float(low), float(middle), float(high)],
        "stages, s": {name: round(value, 1) for name, value in found.seconds.items()},
        "processor seconds": used.ru_utime + used.ru_stime,
    }


def main() -> None:
    """Everything."""
    jax.config.update("jax_enable_x64", True)
    if "fit" in sys.argv:
        print(json.dumps(fitted()))
        return
    found: dict[str, Any] = {"cores": os.cpu_count(), **densities(30.0)}
    if "densities" not in sys.argv:
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, __file__, "fit"], capture_output=True, text=True, check=True)
        found[f"a fit from nothing, s (bar: 90 with {WANTED} effective samples)"] = time.perf_counter() - begin
        fit = json.loads(done.stdout.splitlines()[-1])
        found |= {name: fit.pop(name) for name in ("processor seconds", "effective samples of the slope")}
        found["fit"] = fit
    write("line_maps_speed", found)


if __name__ == "__main__":
    main()
