"""An arc of a clumpy disc and its metallicity map, fitted together: lens, light and gradient are free.

    python benchmarks/clumpy_joint.py           # about eight CPU minutes

The disc and the clump of `clumpy_arc.py` behind an isothermal ellipsoid and a shear, with a metallicity gradient: an
image and a light-weighted map of 30 x 30 pixels each, by NumPy at 4 x 4 samples per pixel, blurred by SciPy; the map
has 0.05 dex at the peak, and counts where the image exceeds 5 sigma. Free are the lens and the shear (5 numbers), the
light (121 weights of `light.Clumpy`) and the gradient with a frame of its own (6). What the field can do by itself is
held: its waves stand still in the source's frame, while what the light carries may turn and move (`Carried.frame`), and
the smooth light is a round Gaussian of about the flux and the size of the source.

Bars: chi2 per datum below 1.1 of both; lens, shear, gradient and its frame within 3 standard deviations of the truth;
R-hat of all these below 1.015, no draw divergent. Writes results/clumpy_joint.json.
"""

from __future__ import annotations

import time
from typing import Any

import clumpy_arc as arc
import jax
import numpy as np
import numpyro.distributions as dist
from clumpy_arc import FINE, FWHM, SIDE, SIGMA, STEP
from resumable import write
from scipy.ndimage import gaussian_filter

import jaxmetal as jm
from jaxmetal.machine import keep_memory
from jaxmetal.numerics.convergence import effective_samples, r_hat

BEST, BRIGHT = 0.05, 5.0
"""Error of Z at the peak, dex; sigmas of the image from which the map counts."""
LENS, SHEAR = {"theta_e": 0.8, "q": 0.8, "pa": 60.0}, {"gamma1": 0.03, "gamma2": -0.02}
FRAME, GRADIENT = {"x0": 0.05, "y0": 0.0, "q": arc.Q, "pa": 20.0}, {"central": 8.7, "slope": -0.4}
TRUE = {
    **{f"scene.lens.main.{name}": value for name, value in LENS.items()},
    **{f"scene.lens.field.{name}": value for name, value in SHEAR.items()},
    **{f"scene.sources.disc.carries.metallicity.frame.{name}": value for name, value in FRAME.items()},
    **{f"scene.sources.disc.carries.metallicity.profile.{name}": value for name, value in GRADIENT.items()},
}
SAMPLING = jm.Sampling(oversampling=2, margin=4, core_size=0.0, route="separable")


def seen() -> dict[str, Any]:
    """The image and the map."""
    line = STEP * ((np.arange(SIDE * FINE) + 0.5) / FINE - 0.5 * SIDE)
    x, y = np.meshgrid(line, line)
    ax, ay = (np.asarray(a) for a in jm.lens.SIE(**LENS)(x, y))
    ax, ay = ax + SHEAR["gamma1"] * x + SHEAR["gamma2"] * y, ay + SHEAR["gamma2"] * x - SHEAR["gamma1"] * y
    u, v = (np.asarray(a) for a in jm.frame.Disc(**FRAME).to_plane(x - ax, y - ay))
    light = arc.true_light(u, v) / arc.Q
    image, metals = observed(light), observed(light * (GRADIENT["central"] + GRADIENT["slope"] * np.hypot(u, v)))
    random = np.random.default_rng(3)
    noisy = image + SIGMA * random.standard_normal(image.shape)
    sigma = np.where(image > BRIGHT * SIGMA, BEST * np.sqrt(image.max() / np.maximum(image, SIGMA)), np.nan)
    psf, mixing = jm.instrument.Gaussian(fwhm=FWHM), jm.mixing.Linear()
    values = metals / image + sigma * random.standard_normal(image.shape)
    return {
        "image": jm.recipes.light_image(noisy, light="star", psf=psf, sigma=SIGMA, pixel_scale=STEP),
        "map": jm.recipes.metallicity_map(values, sigma=sigma, psf=psf, pixel_scale=STEP, mixing=mixing),
    }


def observed(flux: np.ndarray) -> np.ndarray:
    """Blurred, and summed over pixels."""
    blurred = gaussian_filter(flux, FWHM / 2.3548 / STEP * FINE)
    return blurred.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3)) * STEP**2


def prior() -> jm.Scene:
    """Wide priors of lens and gradient; the flux of the smooth light is that of the source, its shape is not."""
    smooth = jm.light.Gaussian(flux=4.0, r_eff=0.5)
    field = jm.tracer.Field(weights=dist.Normal().expand(arc.WEIGHTS), **arc.FIELD)
    frame = jm.frame.Disc(
        x0=dist.Normal(0.0, 0.1), y0=dist.Normal(0.0, 0.1), q=dist.Uniform(0.5, 1.0), pa=dist.Normal(20.0, 40.0)
    )
    gradient = jm.tracer.Gradient(central=dist.Normal(8.5, 0.5), slope=dist.Normal(0.0, 0.5))
    source = jm.Source(
        frame=jm.frame.Disc(),
        lights={"star": jm.light.Clumpy(smooth=smooth, field=field)},
        carries={"metallicity": jm.Carried(profile=gradient, weight="star", frame=frame)},
    )
    lens = {
        "main": jm.lens.SIE(theta_e=dist.Uniform(0.4, 1.2), q=dist.Uniform(0.5, 1.0), pa=dist.Uniform(0.0, 180.0)),
        "field": jm.lens.Shear(gamma1=dist.Normal(0.0, 0.05), gamma2=dist.Normal(0.0, 0.05)),
    }
    return jm.Scene(sources={"disc": source}, lens=lens)


def main() -> None:
    """The fit."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    data, begun = seen(), time.process_time()
    found = jm.fit.auto(prior(), data, sampling={name: SAMPLING for name in data}, seed=1, draws=300)
    seconds = time.process_time() - begun
    chi2 = {n: float(c) / int(np.sum(np.asarray(data[n].used))) for n, c in jm.result.view(found).chi2.items()}
    draws = {name: found.draws[name] for name in TRUE}
    pulls = {name: float((np.mean(draws[name]) - value) / np.std(draws[name])) for name, value in TRUE.items()}
    worst = max(r_hat(values) for values in draws.values())
    write(
        "clumpy_joint",
        {
            "numbers": int(sum(np.prod(np.shape(value)) for value in found.best.values())),
            "method": found.method,
            "processor seconds": seconds,
            "chi2 per datum (bar: 1.1)": chi2,
            "mean and standard deviation": {n: [float(np.mean(v)), float(np.std(v))] for n, v in draws.items()},
            "mean minus truth, standard deviations (bar: 3)": pulls,
            "largest R-hat (bar: 1.015)": worst,
            "least effective draws": min(effective_samples(values) for values in draws.values()),
            "divergent": int(np.sum(found.sampler["diverging"])),
            "draws": int(np.size(found.sampler["diverging"])),
            "bars met": max(chi2.values()) < 1.1
            and max(map(abs, pulls.values())) < 3.0
            and worst < 1.015
            and not np.any(found.sampler["diverging"]),
        },
    )


if __name__ == "__main__":
    main()
