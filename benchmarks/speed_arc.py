"""A fit of an arc: value and gradient of its density beside lenstronomy's value, and its posterior.

    python benchmarks/speed_arc.py            # times and differences, one sample per pixel
    python benchmarks/speed_arc.py accuracy   # errors and times of several settings: who is faster at equal accuracy
    python benchmarks/speed_arc.py fit        # the posterior of 15 numbers, from wide priors and nothing compiled

An image of 120 x 120 pixels: a source of two Sersic components behind an SIE and a shear, through a tabulated PSF of 19
x 19 pixels that already contains the pixel: a Gaussian, averaged over pixels. lenstronomy's value is image and chi2.
All are timed in turn in one process, the least of some rounds counts, in CPU time (which no neighbour on the machine
changes) and on the clock. lenstronomy has no gradient; JAXtronomy's is in
`speed_arc_jaxtronomy.py`.

- once: sampled once per pixel both codes compute the same, and both are wrong where the source is small.
- accuracy: errors are largest differences, over the peak, from NumPy's light at 21 x 21 samples per pixel (with
  lenstronomy's deflections and Sersic profiles), blurred by SciPy and averaged over pixels. lenstronomy samples k x k
  times, and blurs pixels with the PSF of pixels, or all samples with the Gaussian itself as finely sampled; jaxmetal
  has the PSF of pixels and samples k x k times (by itself it would take smaller cells where light is sharp).
  Each setting of lenstronomy's is compared with the cheapest of ours that errs no more.

Writes results/speed_arc.json, results/speed_arc_accuracy.json or results/speed_arc_fit.json.
"""

from __future__ import annotations

import dataclasses
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
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

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
FINE = 21
"""Samples of the reference along each axis of a pixel."""
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
    """The PSF with the pixel in it."""
    edges = ndtr((np.arange(-9, 11) - 0.5) / WIDTH)
    line = np.diff(edges)
    return np.outer(line, line) / line.sum() ** 2


def finer_kernel(cells: int) -> np.ndarray:
    """The PSF alone, in so many cells per pixel."""
    half = 9 * cells + cells // 2
    line = np.diff(ndtr((np.arange(-half, half + 2) - 0.5) / cells / WIDTH))
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


def lenstronomys() -> tuple[Any, Any, list[dict[str, float]], list[dict[str, float]]]:
    """Lens and light as lenstronomy has them, and their numbers."""
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
    return LensModel(["SIE", "SHEAR"]), LightModel(["SERSIC_ELLIPSE"] * 2), numbers, lights


def lenstronomy(samples: int, blurred: bool = False) -> Any:
    """A function without arguments that makes the true image from samples x samples light rays per pixel.

    Args:
        samples: along each axis.
        blurred: whether each of them is, and not pixels.
    """
    lens, light, numbers, lights = lenstronomys()
    data = ImageData(
        image_data=np.zeros((SIDE, SIDE)),
        ra_at_xy_0=STEP * (SIDE - 1) / 2,
        dec_at_xy_0=-STEP * (SIDE - 1) / 2,
        transform_pix2angle=STEP * np.diag([-1.0, 1.0]),
    )
    psf = {"kernel_point_source": finer_kernel(samples), "point_source_supersampling_factor": samples}
    model = ImageModel(
        data,
        PSF(psf_type="PIXEL", **(psf if blurred else {"kernel_point_source": kernel()})),
        lens_model_class=lens,
        source_model_class=light,
        kwargs_numerics={
            "supersampling_factor": samples,
            "supersampling_convolution": blurred,
            "supersampling_kernel_size": None,
        },
    )
    return lambda: model.image(numbers, lights)


def reference() -> np.ndarray:
    """The true image, by NumPy and SciPy."""
    lens, light, numbers, lights = lenstronomys()
    line = STEP * ((np.arange(SIDE * FINE) + 0.5) / FINE - 0.5 * SIDE)
    east, north = np.meshgrid(-line, line)
    total = np.empty_like(east)
    for k in range(0, len(line), 10 * FINE):  # by rows, which are many
        rows = np.s_[k : k + 10 * FINE]
        ax, ay = lens.alpha(east[rows].ravel(), north[rows].ravel(), numbers)
        seen = light.surface_brightness(east[rows].ravel() - ax, north[rows].ravel() - ay, lights)
        total[rows] = seen.reshape(east[rows].shape)
    blurred = gaussian_filter(total, WIDTH * FINE, mode="constant", truncate=7.0)
    return blurred.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3)) * STEP**2


def observed(sampling: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The true image without noise, and with it."""
    seen = rendered(image(np.zeros((SIDE, SIDE))), sampling)
    return seen, seen + SIGMA * np.random.default_rng(3).standard_normal(seen.shape)


def rendered(one: jm.Image, sampling: Any) -> np.ndarray:
    """Our true image."""
    return np.asarray(
        predictions({"image": one}, scene(TRUE), prepare(scene(TRUE), {"image": one}, sampling))["image"].value
    )


def several(function: Any) -> Any:
    """Some calls."""
    return lambda: [function() for _ in range(CALLS)]


def ours(one: jm.Image, sampling: Any) -> dict[str, Any]:
    """Value and gradient of the density of an image."""
    problem = jax.device_put(make(scene(FREE), {"image": one}, sampling))
    value = jax.jit(lambda vector, one: log_density(one, vector))
    gradient = jax.jit(jax.value_and_grad(lambda vector, one: log_density(one, vector)))
    point = jnp.asarray(unconstrain(problem.sites, medians(problem.sites)))
    return {
        "value": several(lambda: jax.block_until_ready(value(point, problem))),
        "value and gradient": several(lambda: jax.block_until_ready(gradient(point, problem))),
    }


def theirs(made: Any, data: np.ndarray) -> Any:
    """Image and chi2."""
    return several(lambda: np.sum(np.square((made() - data) / SIGMA)))


def timed() -> dict[str, Any]:
    """Times of all, and the largest difference of images over their peak."""
    seen, data = observed(ONCE)
    made = {samples: lenstronomy(samples) for samples in SAMPLES}
    functions = {f"lenstronomy, {samples} x {samples}, value": theirs(one, data) for samples, one in made.items()}
    functions |= {f"once per pixel, {name}": one for name, one in ours(image(data), ONCE).items()}
    in_turn(functions, 1)  # compiles
    least, _ = in_turn(functions, ROUNDS)
    their = least["lenstronomy, 1 x 1, value"]
    return {
        "lenstronomy's value, 1 x 1, over each": {
            name: {kind: their[kind] / each[kind] for kind in their} for name, each in least.items()
        },
        f"seconds of {CALLS} calls": least,
        "largest difference over the peak": float(np.abs(seen - made[1]()).max() / seen.max()),
    }


def accurate() -> dict[str, Any]:
    """Errors and times of all settings, and of each of lenstronomy's our cheapest that errs no more."""
    exact = reference()
    data = exact + SIGMA * np.random.default_rng(3).standard_normal(exact.shape)
    finer = {f"{n} x {n}": {"image": dataclasses.replace(ONCE["image"], subsamples=n)} for n in (3, 5)}
    mine = {name: (image(data), one) for name, one in {"once": ONCE, **finer}.items()}
    cases = [(1, False), (3, False), (5, False), (3, True), (5, True), (7, True)]
    made = {f"lenstronomy, {k} x {k}" + (", all blurred" if all_ else ""): lenstronomy(k, all_) for k, all_ in cases}
    error = {name: np.abs(one() - exact).max() / exact.max() for name, one in made.items()}
    by_itself = {"by itself": (image(data), None)}
    error |= {name: np.abs(rendered(*one) - exact).max() / exact.max() for name, one in (mine | by_itself).items()}
    functions = {name: theirs(one, data) for name, one in made.items()}
    for name, one in mine.items():
        functions |= {f"{name}, {what}": of for what, of in ours(*one).items()}
    in_turn(functions, 1)  # compiles
    least, _ = in_turn(functions, ROUNDS)
    equal = {}
    for name in made:
        good = [one for one in mine if error[one] <= error[name]]
        for what in ("value", "value and gradient") if good else ():
            best = min(good, key=lambda one: least[f"{one}, {what}"]["cpu"])
            ratio = {kind: least[name][kind] / least[f"{best}, {what}"][kind] for kind in ("cpu", "clock")}
            equal[f"{name}, over our {what}"] = {"setting": best, **ratio}
    return {
        "lenstronomy's time over ours that errs no more": equal,
        "largest error over the peak": error,
        f"seconds of {CALLS} calls": least,
    }


def truths() -> dict[str, float]:
    """Parameter name -> what is true."""
    stands = {"lens": "scene.lens.main.", "shear": "scene.lens.field.", "frame": ""}
    stands |= {name: f"scene.sources.{name}.lights.star." for name in INDEX}
    return {stands[part] + name: value for part, numbers in TRUE.items() for name, value in numbers.items()}


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
        "mean minus truth, standard deviations": {
            one.label: (one.mean - truths()[one.label]) / one.sd for one in seen.parameters
        },
        "decisions": fit.decisions,
        "findings": [one.text for one in fit.findings],
        "chi2 per pixel": seen.chi2["image"] / SIDE**2,
    }


def main() -> None:
    """Times, or the fit."""
    jax.config.update("jax_enable_x64", True)
    asked = sys.argv[1] if len(sys.argv) > 1 else "once per pixel"
    if asked == "fit":
        write("speed_arc_fit", fitted())
    elif asked == "accuracy":
        write("speed_arc_accuracy", accurate())
    else:
        write("speed_arc", timed())


if __name__ == "__main__":
    main()
