"""jaxmetal's half of the speed comparison: the same galaxies as scenes and priors, and timed fits."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from arviz_stats.base import array_stats
from use_case_1 import FWHM, PIXEL_SCALE, PIXELS, Data, Galaxy

import jaxmetal as jm
from jaxmetal.numerics.convergence import effective_samples, r_hat

MIXING = {"dex": jm.mixing.Dex(), "linear": jm.mixing.Linear()}
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
BLANK = np.zeros((PIXELS, PIXELS))
EMPTY = Data(metallicity=BLANK, metallicity_sigma=BLANK + 1.0, image=BLANK, image_sigma=BLANK + 1.0)
"""Data for predictions, which do not look at them."""


def scene(galaxy: Galaxy, **free: Any) -> jm.Scene:
    """A galaxy as a scene; keywords put distributions in the place of its numbers."""
    e1, e2 = galaxy.ellipticity
    names = ("x0", "y0", "flux", "r_eff", "central", "slope")
    p = {"e1": e1, "e2": e2, **{name: getattr(galaxy, name) for name in names}, **free}
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.EllipticityDisc(x0=p["x0"], y0=p["y0"], e1=p["e1"], e2=p["e2"]),
                lights={"halpha": jm.light.Sersic(flux=p["flux"], r_eff=p["r_eff"], n=1.0)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=p["central"], slope=p["slope"]), weight="halpha"
                    )
                },
            )
        }
    )


def prior(problem: str, galaxy: Galaxy) -> jm.Scene:
    """The bounds that lenstronomy is given, as flat priors.

    The parameters are the same, but for r_eff and slope: of the major axis here, of the circularised radius there.
    """
    free = {"central": dist.Uniform(6.0, 10.0), "slope": dist.Uniform(-1.5, 1.5)}
    if problem == "joint":
        place, shape = dist.Uniform(-1.0, 1.0), dist.Uniform(-0.5, 0.5)
        free |= {"x0": place, "y0": place, "e1": shape, "e2": shape}
        free |= {"r_eff": dist.Uniform(0.3, 3.0), "flux": dist.Uniform(30.0, 700.0)}
    return scene(galaxy, **free)


def observations(problem: str, data: Data, mixing: str) -> dict[str, Any]:
    """The map, and for "joint" the image."""
    common = {
        "grid": jm.Grid.regular((PIXELS, PIXELS), PIXEL_SCALE),
        "psf": jm.instrument.psf.Gaussian(fwhm=FWHM),
        "used": np.ones((PIXELS, PIXELS), bool),
    }
    metallicity = jm.WeightedMap(
        data=data.metallicity,
        noise=jm.likelihood.Gaussian(sigma=data.metallicity_sigma),
        properties=("metallicity",),
        mixing=MIXING[mixing],
        **common,
    )
    image = jm.Image(data=data.image, noise=jm.likelihood.Gaussian(sigma=data.image_sigma), light="halpha", **common)
    return {"map": metallicity} if problem == "map" else {"map": metallicity, "image": image}


def samplings(scene: jm.Scene, observed: dict[str, Any], margin: int) -> dict[str, jm.Sampling]:
    """The automatic sample grids, with another margin."""
    plans = jm.prepare(scene, observed)
    return {name: dataclasses.replace(plan.sampling, margin=margin) for name, plan in plans.items()}


@dataclasses.dataclass
class Compilations:
    """Programs that XLA compiled, and the seconds it took, since the last look."""

    count: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, seconds: float, **_: Any) -> None:
        if event.endswith("backend_compile_duration"):
            self.count, self.seconds = self.count + 1, self.seconds + seconds

    def take(self) -> dict[str, Any]:
        """What was counted, starting again from nothing."""
        found = {"programs_compiled": self.count, "compile_seconds": self.seconds}
        self.count, self.seconds = 0, 0.0
        return found


def time_fit(
    problem: str, galaxy: Galaxy, data: Data, mixing: str, method: str, draws: int, compilations: Compilations
) -> dict[str, Any]:
    """One fit as a user would run it, from arrays to draws, and what they are worth."""
    compilations.take()
    begin = time.perf_counter()
    posterior = jm.fit.auto(
        prior(problem, galaxy), observations(problem, data, mixing), method=method, draws=draws, progress=False
    )
    seconds = time.perf_counter() - begin
    effective = effective_samples(posterior.draws[SLOPE])
    sampling = posterior.seconds["sample"]
    return {
        **compilations.take(),
        "seconds": seconds,
        "stages": posterior.seconds,
        "seconds_to_1000_effective_samples": seconds + sampling * max(1000.0 / effective - 1.0, 0.0),
        "scaled_up": bool(effective < 1000.0),
        "effective_samples_of_slope": effective,
        "draws": int(posterior.draws[SLOPE].size),
        "method": posterior.method,
        "decisions": list(posterior.decisions),
        "findings": [str(finding) for finding in posterior.findings],
        "gradients_per_draw": float(np.mean(posterior.sampler["leapfrogs"])),
        "largest_r_hat": max(r_hat(values) for values in posterior.draws.values()),
        "k_hat": posterior.k_hat,
        "slope_error_of_median": float(_error(posterior.draws[SLOPE], 0.5)),
        "slope_truth": galaxy.slope,
        "slope_16_50_84": [float(v) for v in np.quantile(posterior.draws[SLOPE], [0.16, 0.5, 0.84])],
        "quantiles": {name: _quantiles(values) for name, values in posterior.draws.items()},
    }


def _quantiles(values: np.ndarray) -> dict[str, list[float]]:
    """The 16, 50 and 84 % quantiles and their Monte Carlo errors."""
    shares = [0.16, 0.5, 0.84]
    return {
        "value": [float(v) for v in np.quantile(values, shares)],
        "error": [float(_error(values, p)) for p in shares],
    }


def _error(values: np.ndarray, share: float) -> float:
    return array_stats.mcse(values, method="quantile", prob=share)
