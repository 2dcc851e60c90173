"""Ten fits whose answers a change of the house must not move: run before and after, then compare.

    python benchmarks/ten_fits.py run OUT.json
    python benchmarks/ten_fits.py compare BEFORE.json AFTER.json

Use case 1 of Metha et al. 2024 (map, joint), AS1063 and A370 with their pictures (scatter off and on; of A370 the
maximum alone), a galaxy each of the simulations of gradients and of clumps, a lensed disc, one in two bands, two of a
batch. `compare` prints, and writes to results/ten_fits.json, the largest move of a median over its Monte Carlo error
and over the posterior's width; of a maximum over the width of the posterior that `arcs_fits.py` stored.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arcs
import jax
import numpy as np
import numpyro.distributions as dist
from arviz_stats.base import array_stats
from sample import SHAPES, galaxy
from sbc import CASES as SIMULATED
from sbc import FWHM, simulated
from speed_jaxmetal_side import observations, prior
from use_case_1 import Galaxy, observe

import jaxmetal as jm

RESULTS = Path(__file__).parent / "results"
GALAXY = Galaxy(q=0.7, pa=40.0, x0=0.1, y0=-0.05)
Case = tuple[Any, dict[str, Any], dict[str, Any]]


def use_case(problem: str) -> Case:
    """121 x 121 pixels, a PSF of 15 pixels."""
    return prior(problem, GALAXY), observations(problem, observe(GALAXY, "dex"), "dex"), {}


def arc(name: str, jitter: bool, **options: Any) -> Case:
    """The light-weighted fit of a real arc, as `arcs_fits.weighted_fit` sets it up."""
    one = arcs.Arc(name)
    answer = one.expected["lsq_on_bundle_data"]["moffat2.8_deprojected"]["free"]
    frame, line = arcs.free_disc(one, one.centre(answer["cx"], answer["cy"]), answer["pa"])
    if name == "as1063":
        frame = jm.frame.EllipticityDisc(x0=frame.x0, y0=frame.y0, e1=dist.Normal(0.0, 0.3), e2=dist.Normal(0.0, 0.3))
    psf = jm.instrument.Moffat(fwhm=arcs.FWHM[name], beta=arcs.MOFFAT_BETA)
    seen = one.observation(psf, jm.mixing.Dex(), jitter=dist.HalfNormal(0.05) if jitter else 0.0)
    sky = arcs.scene(frame, one.picture(), line["central"], line["slope"], one.lens())
    return sky, {"metallicity": seen}, {"seed": 1, **options}


def simulation(name: str) -> Case:
    """Seed 3 of `sbc.py`."""
    case = SIMULATED[name]
    _, data = simulated(case, 3)
    seen = {observed: dataclasses.replace(one, data=data[observed]) for observed, one in case.observed(FWHM).items()}
    return case.prior(), seen, {"start_count": 2}


def lensed() -> Case:
    """A disc behind an isothermal ellipsoid and a shear."""
    galaxy = jm.lens.SIE(theta_e=0.8, x0=0.31, y0=-0.17, q=0.8, pa=20.0)
    lens = {"galaxy": galaxy, "field": jm.lens.Shear(gamma1=0.05, gamma2=0.0)}
    return _drawn(_disc(lens=lens, bands=("line",)), 0.3)


def two_bands() -> Case:
    """Images in two bands of other sizes and blurs, and the map that one of them weights."""
    return _drawn(_disc(lens={}, bands=("line", "stars")), 0.5)


def _disc(*, lens: dict[str, Any], bands: tuple[str, ...]) -> jm.Scene:
    frame = jm.frame.Disc(x0=dist.Normal(0.0, 0.1), y0=dist.Normal(0.0, 0.1), q=dist.Uniform(0.3, 0.95), pa=30.0)
    lights = {
        name: jm.light.Sersic(flux=dist.LogNormal(0.0, 0.3), r_eff=dist.LogNormal(-0.5, 0.2), n=1.0) for name in bands
    }
    carried = jm.Carried(
        profile=jm.tracer.Gradient(central=dist.Normal(8.5, 0.3), slope=dist.Normal(0.0, 0.3)), weight="line"
    )
    return jm.Scene(
        sources={"disc": jm.Source(frame=frame, lights=lights, carries={"metallicity": carried})}, lens=lens
    )


def _drawn(sky: jm.Scene, fwhm: float) -> Case:
    blank = {}
    for k, name in enumerate(sky.sources["disc"].lights):
        psf, shape = jm.instrument.Gaussian(fwhm=fwhm * (1.0 + 0.4 * k)), (29 + 4 * k, 33)
        blank[name] = jm.recipes.light_image(np.zeros(shape), light=name, psf=psf, sigma=5e-4, pixel_scale=0.12)
    psf = jm.instrument.Gaussian(fwhm=fwhm)
    blank["map"] = jm.recipes.metallicity_map(np.full((29, 33), 8.5), psf=psf, sigma=0.1, pixel_scale=0.12)
    typical = {name: np.asarray(one) for name, one in _medians(sky).items()}
    return sky, jm.simulate.draw(jm.fill(sky, typical), blank, jax.random.key(5)), {}


def _medians(sky: jm.Scene) -> dict[str, Any]:
    return {name: one.icdf(0.6) for name, one in jm.sites(sky).items()}


def batched(number: int) -> Case:
    """A galaxy of `sample.py`."""
    one = galaxy(number, SHAPES[number % len(SHAPES)])
    return one.scene, one.observations, {}


CASES: dict[str, Callable[[], Case]] = {
    "use case 1, map": lambda: use_case("map"),
    "use case 1, joint": lambda: use_case("joint"),
    "sbc gradient": lambda: simulation("gradient"),
    "sbc clumps": lambda: simulation("clumps"),
    "lensed": lensed,
    "two bands": two_bands,
    "batch 0": lambda: batched(0),
    "batch 7": lambda: batched(7),
    "AS1063, scatter off": lambda: arc("as1063", False),
    "AS1063, scatter on": lambda: arc("as1063", True),
    "A370, scatter off": lambda: arc("a370", False, method="map"),
    "A370, scatter on": lambda: arc("a370", True, method="map"),
}


def run(out: Path) -> None:
    """Fits what is not yet in the file."""
    jax.config.update("jax_enable_x64", True)
    arcs.main_double()
    found = json.loads(out.read_text()) if out.exists() else {}
    for name, make in CASES.items():
        if name in found:
            continue
        began = time.perf_counter()
        sky, seen, options = make()
        posterior = jm.fit.auto(sky, seen, progress=False, **options)
        found[name] = {
            "method": posterior.method,
            "log_posterior": posterior.log_posterior,
            "seconds": time.perf_counter() - began,
            "best": {site: np.ravel(value).tolist() for site, value in posterior.best.items()},
            "medians": {site: _median(values) for site, values in posterior.draws.items()},
        }
        print(name, posterior.method, f"{found[name]['seconds']:.1f} s", flush=True)
        out.write_text(json.dumps(found, indent=1) + "\n")


def _median(draws: np.ndarray) -> dict[str, float]:
    """With its Monte Carlo error, and the width of the posterior; nothing of a maximum."""
    if draws.shape[1] < 4:
        return {}
    return {
        "value": float(np.median(draws)),
        "error": float(array_stats.mcse(draws, method="quantile", prob=0.5)),
        "sd": float(np.std(draws)),
    }


def compare(before: Path, after: Path) -> None:
    """What moved, in Monte Carlo errors and in widths."""
    old, new = (json.loads(path.read_text()) for path in (before, after))
    table = {name: _moved(name, old[name], new[name]) for name in CASES if name in old and name in new}
    for name, row in table.items():
        print(f"{name:22}", "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    RESULTS.joinpath("ten_fits.json").write_text(json.dumps(table, indent=1) + "\n")


def _moved(name: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, float]:
    pairs = [(old["medians"][site], new["medians"][site]) for site in old["medians"]]
    moves = {"d_log_posterior": new["log_posterior"] - old["log_posterior"]}
    if all(pairs[0]):
        size = [abs(b["value"] - a["value"]) for a, b in pairs]
        return moves | {
            "in_monte_carlo_errors": max(
                s / np.hypot(a["error"], b["error"]) for s, (a, b) in zip(size, pairs, strict=True)
            ),
            "in_sd": max(s / a["sd"] for s, (a, b) in zip(size, pairs, strict=True)),
            "ratio_of_sd": max((b["sd"] / a["sd"] for a, b in pairs), key=lambda ratio: abs(np.log(ratio))),
        }
    stored = json.loads(RESULTS.joinpath("arcs_a370.json").read_text())["weighted"]
    widths = stored["scatter_on" if name.endswith("on") else "scatter_off"]["quantiles_16_50_84"]
    kpc = arcs.Arc("a370").kpc_per_arcsec()
    sites = {
        "slope": ("slope_dex_per_kpc", kpc),
        "central": ("central_dex", 1.0),
        "q": ("q", 1.0),
        "pa": ("pa_deg", 1.0),
    }
    for last, (key, factor) in sites.items():
        (site,) = [site for site in old["best"] if site.endswith("." + last)]
        sd = 0.5 * factor * (widths[key][2] - widths[key][0])
        moves[f"{last}_in_sd"] = (new["best"][site][0] - old["best"][site][0]) / sd
    return moves


def _apart(one: dict[str, float], other: dict[str, float]) -> float:
    return abs(one["value"] - other["value"])


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    {"run": run, "compare": compare}[command](*(Path(path) for path in paths))
