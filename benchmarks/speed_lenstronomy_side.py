"""lenstronomy's half of the speed comparison; runs in a process of its own, without JAX.

Its settings are those of the published tutorial (github.com/astrobenji/lenstronomy-metals-notebooks: 5 x 5 samples per
pixel, convolution on that grid, Gaussian PSF cut at 4 sigma), with what is needed for them to run: adaptive
oversampling accepts only a tabulated PSF. Pixels within one half-light radius are oversampled.
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
CROWD = 100
"""Particles and walkers."""
BURN_IN = 5.0
"""Autocorrelation times."""
SHARED = ["e1", "e2", "center_x", "center_y"]


def keywords(galaxy: Galaxy) -> tuple[dict[str, float], dict[str, float]]:
    """SERSIC_ELLIPSE and LINEAR_ELLIPSE keywords of a galaxy (circularised radii; x to the West, angles from +x)."""
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
    return {
        "psf_type": "PIXEL",
        "kernel_point_source": kernel / kernel.sum(),
        "point_source_supersampling_factor": per_pixel,
    }


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

    Two departures, without which the two codes would not do the same thing: the amplitude of the light is sampled, not
    solved for; and for 10^P mixing the tracer type is set by hand, because the workflow never passes it on.
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
        {
            "source_light_model_list": ["SERSIC_ELLIPSE"],
            "tracer_source_model_list": ["LINEAR_ELLIPSE"],
            "tracer_source_band": 0,
        },
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


def time_fit(
    problem: str, galaxy: Galaxy, data: Data, mixing: str, *, iterations: int, budget: float, processes: int
) -> dict[str, Any]:
    """The tutorial's recipe: a swarm of 100 particles, then emcee with 100 walkers, for about `budget` seconds.

    Args:
        problem: "map" or "joint".
        galaxy: the truth.
        data: see `use_case_1`.
        mixing: "dex" or "linear".
        iterations: of the swarm; the recipe's are 100.
        budget: seconds of emcee.
        processes: of lenstronomy's own pool.

    Returns:
        Times, autocorrelation time and quantiles of the slope per arcsec of the major axis, and what was scaled.
    """
    np.random.seed(galaxy.seed)
    made = likelihood(problem, galaxy, data, mixing)
    truth = vector(made, galaxy)
    one = median_seconds(lambda: made.logL(truth), 11)
    with contextlib.closing(_Pooled(made, processes)) as sampler:
        swarm = _swarm(made, sampler, iterations)
        run = _Ensemble(made, sampler, swarm.pop("best"))
        pilot = run(2)[1] / 2
        steps = int(np.clip(budget / pilot, 8, 3000))
        chain, seconds = run(steps)
    kept = _slope(made, chain)[steps // 4 :]
    tau = float(emcee.autocorr.integrated_time(kept[:, :, None], tol=0, quiet=True)[0])
    needed = BURN_IN * tau + 1000.0 * tau / CROWD
    return {
        "free": made.param.num_param()[1],
        "processes": processes,
        "seconds_per_log_likelihood": one,
        "particle_swarm": {**swarm, "log_likelihood_of_truth": float(made.logL(truth))},
        "emcee": {
            "walkers": CROWD,
            "steps_run": steps,
            "seconds": seconds,
            "seconds_per_step": seconds / steps,
            "autocorrelation_time_of_slope": tau,
            "kept_steps_over_autocorrelation_time": len(kept) / tau,
            "steps_for_1000_effective_samples": needed,
        },
        "seconds_to_1000_effective_samples": swarm["seconds_for_100_iterations"] + needed * seconds / steps,
        "scaled_up": bool(needed > steps or iterations < 100),
        "how": "the swarm's 100 iterations, and at the measured seconds per step the emcee steps for a burn-in of "
        f"{BURN_IN:.0f} "
        "autocorrelation times and 1,000 effective samples; scaled_up tells whether that is more than was run",
        "slope_16_50_84": [float(v) for v in np.quantile(kept, [0.16, 0.5, 0.84])],
        "slope_error_of_median": float(1.25 * kept.std() / np.sqrt(kept.size / tau)),
    }


class _Pooled(Sampler):
    """lenstronomy's `Sampler` with one pool for all its calls, where it would start, and import, anew in each."""

    def __init__(self, made: Any, processes: int) -> None:
        super().__init__(made)
        self._shared = super()._pool_and_logl(mpi=False, threadCount=processes)

    def _pool_and_logl(self, mpi: bool, threadCount: int) -> tuple[Any, Any]:
        return self._shared

    def close(self) -> None:
        """Ends the pool's processes."""
        self._shared[0].close()


def _swarm(made: Any, sampler: _Pooled, iterations: int) -> dict[str, Any]:
    """lenstronomy's particle swarm over the whole prior."""
    lower, upper = made.param_limits
    begin = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        best, (fitness, *_) = sampler.pso(CROWD, iterations, lower, upper, verbose=False)
    seconds = time.perf_counter() - begin
    return {
        "particles": CROWD,
        "iterations_run": len(fitness),
        "seconds": seconds,
        "seconds_for_100_iterations": seconds * (100 / iterations if iterations < 100 else 1.0),
        "log_likelihood_reached": float(made.logL(best)),
        "best": best,
    }


class _Ensemble:
    """emcee through lenstronomy's `Sampler`, going on where the last call ended."""

    def __init__(self, made: Any, sampler: _Pooled, mean: Any) -> None:
        self._sampler, self._mean = sampler, mean
        self._position: np.ndarray | None = None
        tracer = {**TRACER_STEPS, **{name: LIGHT_STEPS[name] for name in SHARED}}
        self._sigma = 0.1 * np.array(made.param.kwargs2args(kwargs_source=[LIGHT_STEPS], kwargs_tracer_source=[tracer]))

    def __call__(self, steps: int) -> tuple[np.ndarray, float]:
        """Runs, and returns the chain (steps, walkers, parameters) and the seconds it took."""
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            flat, _ = self._sampler.mcmc_emcee(CROWD, steps, 0, self._mean, self._sigma, initpos=self._position)
        seconds = time.perf_counter() - begin
        chain = flat.reshape(steps, CROWD, -1)
        self._position = chain[-1]
        return chain, seconds


def _slope(made: Any, chain: np.ndarray) -> np.ndarray:
    """Slope per arcsec of the major axis, k sqrt(q)."""
    names = made.param.num_param()[1]
    slope = chain[..., _index(names, "k_")]
    if not any(name.startswith("e1") for name in names):
        return slope
    e = np.hypot(chain[..., _index(names, "e1")], chain[..., _index(names, "e2")])
    return slope * np.sqrt((1.0 - e) / (1.0 + e))


def _index(names: list[str], start: str) -> int:
    return next(i for i, name in enumerate(names) if name.startswith(start))


def median_seconds(function: Any, repeats: int) -> float:
    """Median wall time of a call, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))
