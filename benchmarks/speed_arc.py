"""A fit of an arc: value and gradient of its density beside lenstronomy's value, and its posterior.

    python benchmarks/speed_arc.py            # times and differences, one sample per pixel
    python benchmarks/speed_arc.py finer      # the same with as many samples as jaxmetal chooses by itself
    python benchmarks/speed_arc.py fit        # the posterior of 15 numbers, from wide priors and nothing compiled

An image of 120 x 120 pixels: a source of two Sersic components behind an SIE and a shear, through a tabulated PSF of 19
x 19 pixels that already contains the pixel. Sampled once per pixel both codes compute the same; lenstronomy also with
3 x 3 and 7 x 7 samples. Its value is image and chi2. All are timed in turn in one process, the least of some rounds
counts, in CPU time (which no neighbour on the machine changes) and on the clock. lenstronomy has no gradient.
JAXtronomy is not timed: it could not be installed. Writes results/speed_arc.json, results/speed_arc_finer.json or
results/speed_arc_fit.json.

What is missed: one sample per pixel, lenstronomy's value is about twice as fast as ours, with or without gradient. With
more samples lenstronomy averages over the pixel, which the tabulated PSF already contains, where jaxmetal does not:
its images then differ by a percent, however many there are.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from lenses import in_turn
from lenstronomy.Data.imaging_data import ImageData
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.image_model import ImageModel
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from resumable import write

import jaxmetal as jm
from jaxmetal.fit.problem import log_density, make, unconstrain
from jaxmetal.frame import ellipticity_to_lenstronomy, to_ellipticity
from jaxmetal.lens import shear_to_lenstronomy, sie_to_lenstronomy
from jaxmetal.light import sersic_to_lenstronomy
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import medians

SIDE, STEP, SIGMA, ROUNDS, CALLS = 120, 0.05, 0.02, 5, 5
SAMPLES = (1, 3, 7)
"""Of lenstronomy's, along each axis of a pixel."""
GRID = jm.Grid.regular((SIDE, SIDE), STEP)
ONCE = {"image": jm.Sampling(oversampling=1, margin=0, core_size=0.0, route="fft", cells=(1, 1))}
WIDTH = 1.3
"""Of the PSF, sigma, pixels."""
TRUE = {
    "lens": {"theta_e": 1.6, "q": 0.75, "pa": 30.0, "x0": 0.03, "y0": -0.02},
    "shear": {"gamma1": 0.04, "gamma2": -0.03},
    "frame": {"x0": 0.12, "y0": -0.08, "q": 0.6, "pa": 100.0},
    "wide": {"flux": 40.0, "r_eff": 0.3},
    "narrow": {"flux": 10.0, "r_eff": 0.1},
}
FREE: dict[str, dict[str, Any]] = {
    "lens": {
        "theta_e": dist.Uniform(0.5, 2.5),
        "q": dist.Uniform(0.4, 1.0),
        "pa": dist.Uniform(0.0, 180.0),
        "x0": dist.Normal(0.0, 0.1),
        "y0": dist.Normal(0.0, 0.1),
    },
    "shear": {"gamma1": dist.Normal(0.0, 0.05), "gamma2": dist.Normal(0.0, 0.05)},
    "frame": {
        "x0": jm.Tied("x0", dist.Normal(0.0, 0.3)),
        "y0": jm.Tied("y0", dist.Normal(0.0, 0.3)),
        "q": jm.Tied("q", dist.Uniform(0.2, 1.0)),
        "pa": jm.Tied("pa", dist.Uniform(0.0, 180.0)),
    },
    "wide": {"flux": dist.LogNormal(3.0, 1.0), "r_eff": dist.LogNormal(-1.0, 0.5)},
    "narrow": {"flux": dist.LogNormal(2.0, 1.0), "r_eff": dist.LogNormal(-2.3, 0.5)},
}
INDEX = {"wide": 1.0, "narrow": 1.5}
"""Sersic indices."""


def kernel() -> np.ndarray:
    """The PSF."""
    cells = np.arange(-9, 10)
    line = np.exp(-0.5 * (cells / WIDTH) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def scene(of: dict[str, dict[str, Any]]) -> jm.Scene:
    """Two lights in one frame, behind the lens."""
    again = {name: jm.Tied(value.name) if isinstance(value, jm.Tied) else value for name, value in of["frame"].items()}
    sources = {
        name: jm.Source(frame=jm.frame.Disc(**frame), lights={"star": jm.light.Sersic(**of[name], n=index)})
        for (name, index), frame in zip(INDEX.items(), (of["frame"], again), strict=True)
    }
    return jm.Scene(sources=sources, lens={"main": jm.lens.SIE(**of["lens"]), "field": jm.lens.Shear(**of["shear"])})


def image(data: np.ndarray) -> jm.Image:
    """The observation."""
    psf = jm.instrument.Kernel(values=kernel(), step=STEP, includes_pixel=True)
    return jm.recipes.light_image(data, light="star", psf=psf, sigma=SIGMA, grid=GRID)


def lenstronomy(samples: int) -> Any:
    """A function without arguments that makes the true image from samples x samples light rays per pixel."""
    lens = scene(TRUE).lens
    numbers = [
        {k: float(v) for k, v in one.items()}
        for one in (sie_to_lenstronomy(lens["main"]), shear_to_lenstronomy(lens["field"]))
    ]
    frame = TRUE["frame"]
    e1, e2 = (float(e) for e in ellipticity_to_lenstronomy(*to_ellipticity(frame["q"], frame["pa"]), x_to="east"))
    placed = {"e1": e1, "e2": e2, "center_x": -frame["x0"], "center_y": frame["y0"]}
    lights = [
        {k: float(v) for k, v in sersic_to_lenstronomy(jm.light.Sersic(**TRUE[name], n=n), frame["q"]).items()} | placed
        for name, n in INDEX.items()
    ]
    data = ImageData(
        image_data=np.zeros((SIDE, SIDE)),
        ra_at_xy_0=STEP * (SIDE - 1) / 2,
        dec_at_xy_0=-STEP * (SIDE - 1) / 2,
        transform_pix2angle=STEP * np.diag([-1.0, 1.0]),
    )
    model = ImageModel(
        data,
        PSF(psf_type="PIXEL", kernel_point_source=kernel()),
        lens_model_class=LensModel(["SIE", "SHEAR"]),
        source_model_class=LightModel(["SERSIC_ELLIPSE"] * 2),
        kwargs_numerics={"supersampling_factor": samples, "supersampling_convolution": False},
    )
    return lambda: model.image(numbers, lights)


def observed(sampling: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The true image without noise, and with it."""
    blank = {"image": image(np.zeros((SIDE, SIDE)))}
    seen = np.asarray(predictions(blank, scene(TRUE), prepare(scene(TRUE), blank, sampling))["image"].value)
    return seen, seen + SIGMA * np.random.default_rng(3).standard_normal(seen.shape)


def timed(name: str, sampling: Any) -> dict[str, Any]:
    """Times of all, and the largest differences of images over their peak."""
    theirs = {samples: lenstronomy(samples) for samples in SAMPLES}
    seen, data = observed(ONCE)
    ours, finer = jax.device_put(make(scene(FREE), {"image": image(data)}, sampling)), observed()[0]
    value = jax.jit(lambda vector, one: log_density(one, vector))
    gradient = jax.jit(jax.value_and_grad(lambda vector, one: log_density(one, vector)))
    point = jnp.asarray(unconstrain(ours.sites, medians(ours.sites)))

    def several(function: Any) -> Any:
        return lambda: [function() for _ in range(CALLS)]

    functions = {
        f"lenstronomy, {samples} x {samples}, value": several(
            lambda made=made: np.sum(np.square((made() - data) / SIGMA))
        )
        for samples, made in theirs.items()
    }
    functions[f"{name}, value"] = several(lambda: jax.block_until_ready(value(point, ours)))
    functions[f"{name}, value and gradient"] = several(lambda: jax.block_until_ready(gradient(point, ours)))
    in_turn(functions, 1)  # compiles
    least, _ = in_turn(functions, ROUNDS)
    their = least["lenstronomy, 1 x 1, value"]
    once = theirs[1]()
    return {
        "lenstronomy's value, 1 x 1, over each": {
            name: {kind: their[kind] / each[kind] for kind in their} for name, each in least.items()
        },
        f"seconds of {CALLS} calls": least,
        "largest difference over the peak, once per pixel": float(np.abs(seen - once).max() / seen.max()),
        "that of lenstronomy from the finer": {
            f"{samples} x {samples}": float(np.abs(made() - finer).max() / finer.max())
            for samples, made in theirs.items()
        },
    }


def fitted() -> dict[str, Any]:
    """The posterior."""
    began, cpu = time.perf_counter(), time.process_time()
    fit = jm.fit.auto(scene(FREE), {"image": image(observed()[1])}, progress=False)
    seen = jm.result.view(fit)
    return {
        "numbers": len(fit.best),
        "seconds on the clock (bar: 300)": time.perf_counter() - began,
        "CPU seconds": time.process_time() - cpu,
        "stages, seconds": fit.seconds,
        "method": fit.method,
        "k_hat": float(fit.k_hat),
        "largest R-hat (bar: 1.01)": max(one.r_hat for one in seen.parameters),
        "least effective draws": min(one.ess for one in seen.parameters),
        "chi2 per pixel": seen.chi2["image"] / SIDE**2,
    }


def main() -> None:
    """Times, or the fit."""
    jax.config.update("jax_enable_x64", True)
    asked = sys.argv[1] if len(sys.argv) > 1 else "once per pixel"
    if asked == "fit":
        write("speed_arc_fit", fitted())
    elif asked == "finer":
        write("speed_arc_finer", timed(asked, None))
    else:
        write("speed_arc", timed(asked, ONCE))


if __name__ == "__main__":
    main()
