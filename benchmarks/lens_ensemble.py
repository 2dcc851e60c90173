"""Coverage of a gradient behind a lens that is known by an ensemble: 100 truths that are none of its members.

    python benchmarks/lens_ensemble.py [truths, default 100]

Models of a cluster differ by 10 % in their convergence (rms, a Gaussian field over the map with a correlation length of
6 arcsec): 60 are the ensemble, others are truths, each with a gradient drawn from the prior and noise. Every map is
fitted twice by one compiled program: with the weights of the modes free under Normal(0, 1), and with the mean alone
(the same under a standard deviation of 1e-6). Of the slope the intervals of 68 % should hold 58 to 78 truths of 100
with the lens marginalised and fewer than 50 without; a scatter of the draws scaled by 0.75 shows that the first can
fail. Seeds and S/N are fixed here.

Data are sampled as finely as is chosen for them, fits as `SAMPLING` says, which is enough for a light without a cusp.
Writes results/lens_ensemble.json; resumable.
"""

from __future__ import annotations

import dataclasses
import functools
import resource
import sys
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

import jaxmetal as jm
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.lens.maps import from_convergence

MEMBERS, FIRST_TRUTH = 60, 1000
SPREAD, LENGTH = 0.1, 6.0
MAP = jm.Grid.regular((25, 25), 1.0)
DATA = jm.Grid.regular((17, 17), 0.3, centre=(6.0, 1.0))
SIGMA = 0.03
"""Error of a pixel, dex: alone it leaves a slope far more certain than the lens does."""
CLUSTER = jm.lens.DPIE(b0=6.0, core=2.0, cut=30.0, q=0.8, pa=20.0)
SAMPLING = Sampling(oversampling=2, margin=4, route="separable")
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
WEIGHTS = "scene.lens.cluster.weights"
CENTRE = ("scene.sources.disc.frame.x0", "scene.sources.disc.frame.y0")
FIXED = 1e-6
HOW: dict[str, Any] = {
    "method": "laplace",
    "start_count": 1,
    "draws": 100,
    "sampling": {"map": SAMPLING},
    "progress": False,
}
PLANTED = 0.75


@functools.cache
def covariance_root() -> np.ndarray:
    """Of the field by which convergences differ, pixel by pixel."""
    x, y = (np.ravel(axis) for axis in MAP.centres())
    apart = np.square(x[:, None] - x) + np.square(y[:, None] - y)
    return np.linalg.cholesky(np.exp(-apart / (2 * LENGTH**2)) + 1e-9 * np.eye(x.size))


def model(seed: int) -> jm.lens.Tabulated:
    """A model of the cluster."""
    field = covariance_root() @ np.random.default_rng([17, seed]).normal(size=covariance_root().shape[0])
    kappa = np.asarray(jm.lens.distortion(CLUSTER, *MAP.centres()).kappa)
    return from_convergence(kappa * (1.0 + SPREAD * field.reshape(kappa.shape)), MAP)


def scene(lens: Any, slope: Any, central: Any, x0: Any, y0: Any) -> jm.Scene:
    """A disc behind a lens."""
    disc = jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=y0, q=0.7, pa=50.0),
        lights={"halpha": jm.light.Gaussian(flux=1.0, r_eff=0.5)},
        carries={"metallicity": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="halpha")},
    )
    return jm.Scene(sources={"disc": disc}, lens={"cluster": lens})


@functools.cache
def ensemble() -> tuple[jm.lens.Ensemble, dict[str, Any]]:
    """The members as modes, and what these keep."""
    members = np.stack([np.stack([one.alpha_x, one.alpha_y]) for one in map(model, range(MEMBERS))])
    lens = jm.lens.from_members(members, MAP)
    return lens, dict(jm.lens.check_ensemble(lens, members).numbers)


@functools.cache
def behind() -> tuple[float, float]:
    """Where the middle of the data lies on the plane of the source, by the mean of the ensemble."""
    alpha = ensemble()[0](6.0, 1.0)
    return 6.0 - float(alpha[0]), 1.0 - float(alpha[1])


def prior(width: float) -> jm.Scene:
    """With weights of this standard deviation."""
    lens, _ = ensemble()
    free = dist.Normal(0.0, width).expand([len(lens.modes)])
    x0, y0 = (dist.Normal(middle, 1.0) for middle in behind())
    lens = dataclasses.replace(lens, weights=free)
    return scene(lens, dist.Normal(-0.3, 0.1), dist.Normal(8.6, 0.1), x0, y0)


def observed(data: np.ndarray) -> jm.WeightedMap:
    """A map of metallicity."""
    return jm.WeightedMap(
        data=data,
        noise=jm.likelihood.Gaussian(sigma=np.full(data.shape, SIGMA)),
        grid=DATA,
        psf=jm.instrument.Gaussian(fwhm=0.6),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(data.shape, bool),
    )


def one(seed: int) -> dict[str, Any]:
    """A truth, and the intervals of its slope with and without the lens's uncertainty."""
    rng, middle = np.random.default_rng([18, seed]), behind()
    truth = {"slope": rng.normal(-0.3, 0.1), "central": rng.normal(8.6, 0.1)}
    # The deflection of another model moves the source where it is not seen; what is drawn is its place in the image.
    lens = model(seed)
    alpha = [float(part) for part in lens(6.0, 1.0)]
    place = {"x0": 6.0 - alpha[0] + rng.normal(0.0, 0.05), "y0": 1.0 - alpha[1] + rng.normal(0.0, 0.05)}
    made = scene(lens, **truth, **place)
    seen = jm.simulate.draw(made, {"map": observed(np.full(DATA.shape, 8.6))}, jax.random.key(seed))
    row: dict[str, Any] = {"truth": truth["slope"], "moved": [place["x0"] - middle[0], place["y0"] - middle[1]]}
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for name, width in (("marginalised", 1.0), ("single", FIXED)):
        COMPILED.clear()
        fit = jm.fit.auto(prior(width), seen, seed=seed, **HOW)
        quantiles = np.percentile(fit.draws[SLOPE], [16.0, 50.0, 84.0])
        row[name] = {"quantiles": quantiles, "sd": float(np.std(fit.draws[SLOPE])), "k_hat": fit.k_hat}
        row[name] |= {"compiled": len(COMPILED), "findings": [str(found) for found in fit.findings]}
        if name == "marginalised":
            row[name]["lens share"] = jm.result.lens_share(fit, SLOPE).share
    return {**as_lists(row), "seconds": resource.getrusage(resource.RUSAGE_SELF).ru_utime - began}


COMPILED: list[str] = []
"""Programs that were asked of the compiler since it was last cleared."""


def as_lists(row: Any) -> Any:
    """Without arrays."""
    if isinstance(row, dict):
        return {key: as_lists(value) for key, value in row.items()}
    return row.tolist() if isinstance(row, np.ndarray) else row


def covered(rows: list[dict[str, Any]], name: str, scale: float = 1.0) -> int:
    """Truths inside the interval, scaled about the median."""
    inside = 0
    for row in rows:
        low, middle, high = row[name]["quantiles"]
        inside += middle - scale * (middle - low) <= row["truth"] <= middle + scale * (high - middle)
    return inside


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **said: COMPILED.append(event) if event.endswith("backend_compile_duration") else None
    )
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = run("lens_ensemble", [FIRST_TRUTH + k for k in range(count)], one)
    marginalised, single = (covered(rows, name) for name in ("marginalised", "single"))
    sd = {name: float(np.median([row[name]["sd"] for row in rows])) for name in ("marginalised", "single")}
    error = [row["single"]["quantiles"][1] - row["truth"] for row in rows]
    write(
        "lens_ensemble",
        {
            "truths": len(rows),
            "ensemble": ensemble()[1],
            "marginalised 68 % holds (bar: 58 to 78)": marginalised,
            "single model's 68 % holds (bar: fewer than 50)": single,
            "met": 0.58 * len(rows) <= marginalised <= 0.78 * len(rows) and single < 0.5 * len(rows),
            "marginalised, scatter scaled by 0.75": covered(rows, "marginalised", PLANTED),
            "median sd of the slope": sd,
            "sd of the prior": 0.1,
            "rms error of the single model": float(np.sqrt(np.mean(np.square(error)))),
            "median share of the lens": float(np.median([row["marginalised"]["lens share"] for row in rows])),
            "k-hat above 0.7": {n: int(sum(row[n]["k_hat"] > 0.7 for row in rows)) for n in sd},
            "programs compiled by fits after the first pair of a process": sorted(
                {row[n]["compiled"] for row in rows[1:] for n in sd}
            ),
            "processor seconds": float(sum(row["seconds"] for row in rows)),
        },
    )


if __name__ == "__main__":
    main()
