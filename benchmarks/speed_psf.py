"""One map of 121 x 121 pixels at PSFs of 1.5 to 15 pixels, beside lenstronomy's cheapest setting that is as exact.

    python benchmarks/speed_psf.py [--quick]

lenstronomy's tracer module is tried at 1 to 9 samples per pixel, everywhere or where the disc is bright, convolved on
that grid or per pixel, its Gaussian cut at 5 sigma; the cheapest setting whose map is within 2e-4 dex of brute force
(or the most exact one, where none is) is what jaxmetal is timed against, in turns in one process. All of jaxmetal's
eight numbers are free. Writes results/speed_psf.json.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import speed_jaxmetal_side as ours
import speed_lenstronomy_side as theirs
from lenstronomy.Data.imaging_data import ImageData
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.tracer_model import TracerModelSource
from lenstronomy.LightModel.light_model import LightModel
from resumable import write
from scipy.special import erf
from use_case_1 import PIXEL_SCALE, PIXELS, RADIUS_PER_SCALE, SIGMA_PER_FWHM, Galaxy

import jaxmetal as jm
from jaxmetal.fit.problem import log_density, make, unconstrain

GALAXY = Galaxy(q=0.7, pa=40.0, x0=0.1, y0=-0.05)
WIDTHS = (1.5, 3.0, 8.0, 15.0)
"""FWHM, pixels."""
PROMISE = 2e-4
"""dex."""
LIT = 1e-3
"""Maps are compared where the light exceeds this share of its peak."""
CUT = 5.0
"""Half-size of lenstronomy's tabulated PSF, sigma."""


def truth(fwhm: float, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Map and light by midpoints and sums of erf, no light from beyond the frame; fwhm in pixels."""
    position = (np.arange(PIXELS * samples) + 0.5) / samples - 0.5
    x, y = np.meshgrid(*[(position - (PIXELS - 1) / 2) * PIXEL_SCALE] * 2)
    pa = np.deg2rad(GALAXY.pa)
    along = -np.sin(pa) * (x - GALAXY.x0) + np.cos(pa) * (y - GALAXY.y0)
    across = -np.cos(pa) * (x - GALAXY.x0) - np.sin(pa) * (y - GALAXY.y0)
    radius = np.hypot(along, across / GALAXY.q)
    light = np.exp(-radius * RADIUS_PER_SCALE / GALAXY.r_eff)
    width = np.sqrt(2.0) * fwhm * SIGMA_PER_FWHM
    offset = np.arange(PIXELS)[:, None] - position
    response = 0.5 * (erf((offset + 0.5) / width) - erf((offset - 0.5) / width))
    image, moment = (response @ f @ response.T for f in (light, light * 10.0 ** (GALAXY.slope * radius)))
    return GALAXY.central + np.log10(moment / image), image


def lenstronomy(fwhm: float, samples: int, where: str, fine: bool) -> Callable[[], np.ndarray]:
    """A function without arguments that computes the noise-free map."""
    sigma = fwhm * SIGMA_PER_FWHM * (samples if fine else 1)
    cells = np.arange(-np.ceil(CUT * sigma), np.ceil(CUT * sigma) + 1)
    # A kernel per pixel holds the pixel's integral, one on finer cells that of the cell.
    line = 0.5 * np.diff(erf((np.append(cells, cells[-1] + 1) - 0.5) / (np.sqrt(2.0) * sigma)))
    kernel = np.outer(line, line)
    psf = PSF(
        psf_type="PIXEL",
        kernel_point_source=kernel / kernel.sum(),
        point_source_supersampling_factor=samples if fine else 1,
    )
    settings: dict[str, Any] = {"supersampling_factor": samples, "supersampling_convolution": fine}
    if where == "bright":
        rows, columns = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
        near = np.hypot(columns * PIXEL_SCALE - GALAXY.x0, rows * PIXEL_SCALE - GALAXY.y0) < GALAXY.r_eff
        settings |= {"compute_mode": "adaptive", "supersampled_indexes": near}
    blank = np.ones((PIXELS, PIXELS))
    model = TracerModelSource(
        ImageData(**theirs.frame(blank, blank)),
        psf_class=psf,
        source_model_class=LightModel(["SERSIC_ELLIPSE"]),
        tracer_source_class=LightModel(["LINEAR_ELLIPSE"]),
        tracer_type="LOG",
        kwargs_numerics=settings,
    )
    light, tracer = theirs.keywords(GALAXY)
    return lambda: np.asarray(model.tracer_model([tracer], None, [light]))


def seconds(functions: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Least time of each, in turns, after one call that is not counted."""
    for function in functions.values():
        function()
    best = dict.fromkeys(functions, np.inf)
    for _, name in itertools.product(range(repeats), functions):
        begin = time.perf_counter()
        functions[name]()
        best[name] = min(best[name], time.perf_counter() - begin)
    return best


def cheapest(fwhm: float, exact: np.ndarray, lit: np.ndarray) -> tuple[str, Callable[[], np.ndarray], float]:
    """lenstronomy's setting."""
    tried = []
    for samples, where, fine in itertools.product((1, 2, 3, 5, 7, 9), ("everywhere", "bright"), (True, False)):
        if samples == 1 and (where == "bright" or fine):
            continue
        made = lenstronomy(fwhm, samples, where, fine)
        error = float(np.abs(made() - exact)[lit].max())
        name = f"{samples} samples {where}, convolved {'on them' if fine else 'per pixel'}"
        tried.append((name, made, error, seconds({"": made}, 2)[""]))
    good = [one for one in tried if one[2] <= PROMISE]
    chosen = min(good, key=lambda one: one[3]) if good else min(tried, key=lambda one: one[2])
    return chosen[0], chosen[1], chosen[2]


def one(fwhm: float, repeats: int) -> dict[str, Any]:
    """Both codes at one width."""
    exact, light = truth(fwhm, 15)
    lit = light > LIT * light.max()
    prior = ours.prior("joint", GALAXY)
    observed = dataclasses.replace(
        ours.observations("map", ours.EMPTY, "dex")["map"],
        data=exact,
        noise=jm.likelihood.Gaussian(sigma=np.full_like(exact, 0.1)),
        psf=jm.instrument.Gaussian(fwhm=fwhm * PIXEL_SCALE),
    )
    plan = jm.prepare(prior, {"map": observed})["map"]
    # The scene ends at the frame in both codes.
    sampling = dataclasses.replace(plan.sampling, margin=0)
    plan = jm.prepare(prior, {"map": observed}, {"map": sampling})["map"]
    predict = jax.jit(lambda scene, plan: jm.predict(observed, scene, plan).value)
    found = np.asarray(predict(ours.scene(GALAXY), plan))
    problem = make(prior, {"map": observed}, {"map": sampling})
    e1, e2 = GALAXY.ellipticity
    known = {"e1": e1, "e2": e2, **dataclasses.asdict(GALAXY)}
    point = unconstrain(problem.sites, {site: known[site.rsplit(".", 1)[-1]] for site in problem.sites})
    value, both = jax.jit(log_density), jax.jit(jax.value_and_grad(log_density, argnums=1))
    name, made, error = cheapest(fwhm, exact, lit)
    taken = seconds(
        {
            "lenstronomy, value": made,
            "jaxmetal, value": lambda: jax.block_until_ready(value(problem, point)),
            "jaxmetal, value and gradient": lambda: jax.block_until_ready(both(problem, point)),
        },
        repeats,
    )
    return {
        "fwhm_pixels": fwhm,
        **{f"seconds, {key}": t for key, t in taken.items()},
        "lenstronomy's setting": name,
        "largest error, dex": {"lenstronomy": error, "jaxmetal": float(np.abs(found - exact)[lit].max())},
        "error of the reference, dex": float(np.abs(truth(fwhm, 9)[0] - exact)[lit].max()),
        "value over lenstronomy's": taken["jaxmetal, value"] / taken["lenstronomy, value"],
        "value and gradient over lenstronomy's value": taken["jaxmetal, value and gradient"]
        / taken["lenstronomy, value"],
    }


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    rows = [one(width, 3 if "--quick" in sys.argv else 40) for width in WIDTHS]
    bars = {"value": "below 1 everywhere", "value and gradient": "at most 3 at 1.5 to 3 pixels, 0.25 at 15"}
    write("speed_psf", {"bars": bars, "rows": rows})
