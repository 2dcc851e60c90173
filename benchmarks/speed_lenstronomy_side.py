"""lenstronomy's half of the speed comparison; runs in a process of its own, without JAX.

Its settings are those of the published tutorial (github.com/astrobenji/lenstronomy-metals-notebooks: 5 x 5 samples per pixel,
convolution on that grid, Gaussian PSF cut at 4 sigma), with what is needed for them to run: adaptive oversampling accepts only
a tabulated PSF. Pixels within one half-light radius are oversampled.
"""

from __future__ import annotations

import contextlib
import io
import time
from typing import Any

import emcee
import numpy as np
from lenstronomy.Data.imaging_data import ImageData
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.tracer_model import TracerModelSource
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Sampling.sampler import Sampler
from lenstronomy.Workflow.fitting_sequence import FittingSequence

from use_case_1 import FWHM, PIXEL_SCALE, PIXELS, SIGMA_PER_FWHM, Data, Galaxy

SUPERSAMPLING = 5
TRUNCATION = 4.0
"""Half-size of the tabulated PSF in sigma."""
TRACER_TYPE = {"linear": "LINEAR", "dex": "LOG"}
SETTINGS = {
    "adaptive": {"compute_mode": "adaptive", "supersampling_factor": SUPERSAMPLING, "supersampling_convolution": True},
    "adaptive, convolved per pixel": {"compute_mode": "adaptive", "supersampling_factor": SUPERSAMPLING},
    "regular": {"supersampling_factor": SUPERSAMPLING, "supersampling_convolution": True},
    "no oversampling": {"supersampling_factor": 1},
}
"""Names of numerical settings; "adaptive" is the one of the comparison."""
LIGHT_STEPS = {"amp": 0.5, "R_sersic": 0.02, "e1": 0.02, "e2": 0.02, "center_x": 0.02, "center_y": 0.02}
TRACER_STEPS = {"amp": 0.05, "k": 0.05}
LIGHT_LOWER = {"amp": 4.0, "R_sersic": 0.3, "e1": -0.5, "e2": -0.5, "center_x": -1.0, "center_y": -1.0}
LIGHT_UPPER = {"amp": 60.0, "R_sersic": 3.0, "e1": 0.5, "e2": 0.5, "center_x": 1.0, "center_y": 1.0}
TRACER_LOWER, TRACER_UPPER = {"amp": 6.0, "k": -1.5}, {"amp": 10.0, "k": 1.5}
SHARED = ["e1", "e2", "center_x", "center_y"]


def keywords(galaxy: Galaxy) -> tuple[dict[str, float], dict[str, float]]:
    """SERSIC_ELLIPSE and LINEAR_ELLIPSE keywords (circularised radii; x to the West, angles from +x) of a galaxy with n = 1."""
    e1, e2 = galaxy.ellipticity
    geometry = {"e1": -e1, "e2": -e2, "center_x": galaxy.x0, "center_y": galaxy.y0}
    b, scale = 1.9992 - 0.3271, galaxy.r_eff * np.sqrt(galaxy.q) / 1.6783469900166605
    amp = galaxy.flux / (2 * np.pi * scale**2) * np.exp(-b)
    light = {"amp": amp, "R_sersic": b * scale, "n_sersic": 1.0, **geometry}
    return light, {"amp": galaxy.central, "k": galaxy.slope / np.sqrt(galaxy.q), **geometry}


def psf(settings: dict[str, Any]) -> dict[str, Any]:
    """The Gaussian as a table, on the grid that the settings convolve on."""
    per_pixel = SUPERSAMPLING if settings.get("supersampling_convolution") else 1
    sigma = FWHM * SIGMA_PER_FWHM / PIXEL_SCALE * per_pixel
    cells = np.arange(-np.ceil(TRUNCATION * sigma), np.ceil(TRUNCATION * sigma) + 1)
    line = np.exp(-0.5 * (cells / sigma) ** 2)
    kernel = np.outer(line, line)
    return {"psf_type": "PIXEL", "kernel_point_source": kernel / kernel.sum(), "point_source_supersampling_factor": per_pixel}


def numerics(name: str, galaxy: Galaxy) -> dict[str, Any]:
    """`kwargs_numerics` of one of `SETTINGS`."""
    settings = dict(SETTINGS[name])
    if settings.get("compute_mode") == "adaptive":
        row, column = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
        radius = np.hypot(column * PIXEL_SCALE - galaxy.x0, row * PIXEL_SCALE - galaxy.y0)
        settings["supersampled_indexes"] = radius < galaxy.r_eff
    return settings


def frame(values: np.ndarray, sigma: np.ndarray) -> dict[str, Any]:
    """`kwargs_data`."""
    corner = -(PIXELS - 1) / 2 * PIXEL_SCALE
    return {
        "image_data": values,
        "noise_map": sigma,
        "ra_at_xy_0": corner,
        "dec_at_xy_0": corner,
        "transform_pix2angle": np.eye(2) * PIXEL_SCALE,
    }


def tracer_map(galaxy: Galaxy, mixing: str, name: str) -> Any:
    """A function without arguments that computes the noise-free map, as `TracerModelSource` does."""
    settings = numerics(name, galaxy)
    blank = np.ones((PIXELS, PIXELS))
    model = TracerModelSource(
        ImageData(**frame(blank, blank)),
        psf_class=PSF(**psf(settings)),
        source_model_class=LightModel(["SERSIC_ELLIPSE"]),
        tracer_source_class=LightModel(["LINEAR_ELLIPSE"]),
        tracer_type=TRACER_TYPE[mixing],
        kwargs_numerics=settings,
    )
    light, tracer = keywords(galaxy)
    return lambda: model.tracer_model([tracer], None, [light])


def likelihood(problem: str, galaxy: Galaxy, data: Data, mixing: str) -> Any:
    """lenstronomy's `Likelihood`, as its `FittingSequence` makes it.

    Two departures, without which the two codes would not do the same thing: the amplitude of the light is sampled, not solved
    for; and for 10^P mixing the tracer type is set by hand, because the workflow never passes it on.
    """
    settings = numerics("adaptive", galaxy)
    light, tracer = keywords(galaxy)
    joint = problem == "joint"
    fixed_light = {"n_sersic": 1.0} if joint else light
    fixed_tracer = {} if joint else {name: tracer[name] for name in SHARED}
    image, metallicity = frame(data.image, data.image_sigma), frame(data.metallicity, data.metallicity_sigma)
    sequence = FittingSequence(
        {
            "multi_band_list": [[image, psf(settings), settings]],
            "multi_band_type": "single-band",
            "tracer_data": [metallicity, psf(settings), settings],
        },
        {"source_light_model_list": ["SERSIC_ELLIPSE"], "tracer_source_model_list": ["LINEAR_ELLIPSE"], "tracer_source_band": 0},
        {"linear_solver": False, **({"joint_source_light_with_tracer": [[0, 0, SHARED]]} if joint else {})},
        {"image_likelihood": joint, "tracer_likelihood": True, "check_bounds": True},
        {
            "source_model": [[light], [LIGHT_STEPS], [fixed_light], [LIGHT_LOWER], [LIGHT_UPPER]],
            "tracer_source_model": [
                [tracer],
                [{**TRACER_STEPS, **dict.fromkeys(SHARED, 0.02)}],
                [fixed_tracer],
                [{**{n: LIGHT_LOWER[n] for n in SHARED}, **TRACER_LOWER}],
                [{**{n: LIGHT_UPPER[n] for n in SHARED}, **TRACER_UPPER}],
            ],
        },
        verbose=False,
    )
    made = sequence.likelihood_class
    made.tracer_likelihood.tracerModel._tracer_type = TRACER_TYPE[mixing]
    return made


def vector(made: Any, galaxy: Galaxy) -> np.ndarray:
    """The truth in the order of lenstronomy's sampled parameters."""
    light, tracer = keywords(galaxy)
    return np.array(made.param.kwargs2args(kwargs_source=[light], kwargs_tracer_source=[tracer]))


def time_fit(problem: str, galaxy: Galaxy, data: Data, mixing: str, *, particles: int, iterations: int, walkers: int,
             budget: float, processes: int) -> dict[str, Any]:
    """Particle swarm, then emcee for about `budget` seconds; what is scaled from them is said.

    Returns:
        Times, autocorrelation time and quantiles of the slope per arcsec of the major axis.
    """
    np.random.seed(galaxy.seed)
    made = likelihood(problem, galaxy, data, mixing)
    one = _seconds(lambda: made.logL(vector(made, galaxy)), 11)
    sampler, (lower, upper) = Sampler(made), made.param_limits
    with contextlib.redirect_stdout(io.StringIO()):
        begin = time.perf_counter()
        best, (fitness, *_) = sampler.pso(particles, iterations, lower, upper, threadCount=processes, verbose=False)
        swarm = time.perf_counter() - begin
    spread = np.array(made.param.kwargs2args(kwargs_source=[{**LIGHT_STEPS, "n_sersic": 0.0}], kwargs_tracer_source=[{**TRACER_STEPS, **dict.fromkeys(SHARED, 0.02)}]))
    run = _Ensemble(sampler, best, 0.1 * spread, walkers, processes)
    pilot = run(5)[1] / 5
    steps = int(np.clip(budget / pilot, 40, 3000))
    chain, elapsed = run(steps)
    slope = _slope(made, chain)
    kept = slope[len(slope) // 4 :]
    tau = float(emcee.autocorr.integrated_time(kept[:, :, None], tol=0, quiet=True)[0])
    per_step = elapsed / steps
    needed = 5.0 * tau + 1000.0 * tau / walkers
    swarm_full = swarm * 100 / max(len(fitness), 1) if iterations < 100 else swarm
    return {
        "seconds_per_log_likelihood": one,
        "processes": processes,
        "particle_swarm": {"particles": particles, "iterations_run": len(fitness), "seconds": swarm, "seconds_for_100_iterations": swarm_full,
                           "log_likelihood_reached": float(made.logL(best)), "log_likelihood_of_truth": float(made.logL(vector(made, galaxy)))},
        "emcee": {"walkers": walkers, "steps_run": steps, "seconds": elapsed, "seconds_per_step": per_step,
                  "autocorrelation_time_of_slope": tau, "chain_over_autocorrelation_time": len(kept) / tau,
                  "effective_samples_of_run": kept.size / tau, "steps_for_1000": needed},
        "seconds_to_1000_effective_samples": swarm_full + needed * per_step,
        "scaled": bool(needed > steps or iterations < 100),
        "how": "particle swarm (100 x 100) + emcee steps for a burn-in of 5 autocorrelation times and 1,000 effective samples at the measured "
               "seconds per step" + (" (more steps than were run: an extrapolation)" if needed > steps else " (fewer steps than were run)"),
        "free": made.param.num_param()[1],
        "slope": _quantiles(kept.ravel()),
    }


class _Ensemble:
    """emcee through lenstronomy's own `Sampler`, going on where the last call ended."""

    def __init__(self, sampler: Sampler, mean: Any, sigma: np.ndarray, walkers: int, processes: int) -> None:
        self._sampler, self._mean, self._sigma, self._walkers, self._processes = sampler, mean, sigma, walkers, processes
        self._position: np.ndarray | None = None

    def __call__(self, steps: int) -> tuple[np.ndarray, float]:
        """Runs, and returns the chain (steps, walkers, parameters) and the seconds it took."""
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            flat, _ = self._sampler.mcmc_emcee(self._walkers, steps, 0, self._mean, self._sigma, threadCount=self._processes, initpos=self._position)
        chain = flat.reshape(steps, self._walkers, -1)
        self._position = chain[-1]
        return chain, time.perf_counter() - begin


def _slope(made: Any, chain: np.ndarray) -> np.ndarray:
    """Slope per arcsec of the major axis, k sqrt(q)."""
    names = made.param.num_param()[1]
    slope = chain[..., names.index("k_tracer_source0")] if "k_tracer_source0" in names else chain[..., _index(names, "k_")]
    if not any(name.startswith("e1") for name in names):
        return slope
    e = np.hypot(chain[..., _index(names, "e1")], chain[..., _index(names, "e2")])
    return slope * np.sqrt((1.0 - e) / (1.0 + e))


def _index(names: list[str], start: str) -> int:
    return next(i for i, name in enumerate(names) if name.startswith(start))


def _quantiles(values: np.ndarray) -> list[float]:
    return [float(v) for v in np.quantile(values, [0.16, 0.5, 0.84])]


def _seconds(function: Any, repeats: int) -> float:
    """Median wall time of a call, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))
