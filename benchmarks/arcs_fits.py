"""Fits of the two real arcs: FRApy's operator against published answers, then the light-weighted operator.

    python benchmarks/arcs_fits.py [as1063 a370]

Writes benchmarks/results/arcs_<name>.json; a weighted fit that is in it already is not repeated.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import arcs
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from arcs import Arc, frapy_observation, free_disc, scene

import jaxmetal as jm
from jaxmetal.numerics.convergence import r_hat

RESULTS = Path(__file__).parent / "results"
FIGURES = os.environ.get("JAXMETAL_FIGURES")
"""Folder for the pictures, if any."""

SITE = "scene.sources.disc."
GRADIENT = SITE + "carries.metallicity.profile."


def forward_check(arc: Arc) -> list[dict[str, float]]:
    """Largest difference (dex) from FRApy's own vectors, with its operator and at default settings."""
    observation, sampling = frapy_observation(arc)
    lens, found = arc.lens("bilinear"), []
    for check in arc.expected["forward_check"]["checks"]:
        p = check["params"]
        x0, y0 = arc.centre(p["cx"], p["cy"], "bilinear")
        slope = p["z_grad"] * p["q"] * arc.kpc_wmap9
        sky = scene(jm.frame.Disc(x0=x0, y0=y0, q=p["q"], pa=p["pa"]), jm.light.Unweighted(), p["z_0"], slope, lens)
        published = np.array(check["binned_model"])
        values = {
            "frapy_operator": jm.predict(
                observation, sky, jm.prepare(sky, {"m": observation}, {"m": sampling["metallicity"]})["m"]
            ),
            "default_sampling": jm.predict(observation, sky, jm.prepare(sky, {"m": observation})["m"]),
        }
        found.append(
            {name: float(np.max(np.abs(v.value - published))) for name, v in values.items()} | {"bins": len(published)}
        )
    return found


def image_position(arc: Arc, beta: tuple[float, float], start: tuple[float, float]) -> tuple[float, float]:
    """The data pixel near `start` whose traced centre is `beta` (Newton)."""
    lens = next(iter(arc.lens("bilinear").values()))

    def miss(pixel: jax.Array) -> jax.Array:
        x, y = arc.grid.to_sky(pixel[0], pixel[1])
        alpha = lens(x, y)
        return jnp.stack([x - alpha[0] - beta[0], y - alpha[1] - beta[1]])

    pixel = jnp.asarray(start, float)
    for _ in range(30):
        pixel = pixel - 0.7 * jnp.linalg.solve(jax.jacfwd(miss)(pixel), miss(pixel))
    return float(pixel[0]), float(pixel[1])


def unweighted_map(arc: Arc) -> dict[str, Any]:
    """The maximum with FRApy's operator and flat priors, in units of the published errors."""
    observation, sampling = frapy_observation(arc)
    answer = arc.expected["lsq_on_bundle_data"]["gaussian_deprojected"]["free"]
    x0, y0 = arc.centre(answer["cx"], answer["cy"], "bilinear")
    frame = jm.frame.Disc(
        x0=dist.Uniform(x0 - 1, x0 + 1),
        y0=dist.Uniform(y0 - 1, y0 + 1),
        q=dist.Uniform(0.1, 0.95),
        pa=dist.Uniform(answer["pa"] - 80, answer["pa"] + 90),
    )
    prior = scene(frame, jm.light.Unweighted(), dist.Uniform(8.0, 10.0), dist.Uniform(-1.0, 1.0), arc.lens("bilinear"))
    found = jm.fit.auto(prior, {"metallicity": observation}, method="map", sampling=sampling, progress=False)
    best = {name: float(value) for name, value in found.best.items()}
    cx, cy = image_position(arc, (best[SITE + "frame.x0"], best[SITE + "frame.y0"]), (answer["cx"], answer["cy"]))
    ours = {
        "cx": cx,
        "cy": cy,
        "q": best[SITE + "frame.q"],
        "pa": best[SITE + "frame.pa"],
        "z_grad": best[GRADIENT + "slope"] / arc.kpc_wmap9,
        "z_0": best[GRADIENT + "central"],
    }
    chi2 = float(np.nansum(jm.result.residual(found, "metallicity") ** 2))
    pulls = {name: (ours[name] - answer[name]) / answer["err"][name] for name in ours}
    return {"map": ours, "published": answer, "pull_in_sigma": pulls, "chi2": chi2}


def weighted_fit(arc: Arc, *, jitter: bool, shifts: bool) -> dict[str, Any]:
    """The light-weighted fit: HST light in the image plane, Moffat seeing, flat 70/0.3, free geometry."""
    answer = arc.expected["lsq_on_bundle_data"]["moffat2.8_deprojected"]["free"]
    at = arc.centre(answer["cx"], answer["cy"])
    frame, gradient = free_disc(arc, at, answer["pa"])
    nearly_round = arc.name == "as1063"
    if nearly_round:  # the light-weighted disc may be face-on, where a position angle means nothing
        frame = jm.frame.EllipticityDisc(x0=frame.x0, y0=frame.y0, e1=dist.Normal(0.0, 0.3), e2=dist.Normal(0.0, 0.3))
    lens = arc.lens()
    if shifts:
        names = ("1", "2", "3")
        lens["images"] = jm.lens.RegionShift(
            labels=arc.images(),
            grid=arc.grid,
            dx={name: dist.Normal(0.0, 0.2) for name in names},
            dy={name: dist.Normal(0.0, 0.2) for name in names},
        )
    psf = jm.instrument.Moffat(fwhm=arcs.FWHM[arc.name], beta=arcs.MOFFAT_BETA)
    observation = arc.observation(psf, jm.mixing.Dex(), jitter=dist.HalfNormal(0.05) if jitter else 0.0)
    prior = scene(frame, arc.picture(), gradient["central"], gradient["slope"], lens)
    posterior = jm.fit.auto(prior, {"metallicity": observation}, draws=1000, seed=1, target_accept=0.98, progress=False)
    print(jm.result.summary(posterior, arc.kpc_per_arcsec()), flush=True)
    if FIGURES:
        hero = jm.plot.of_posterior.overview(posterior, "metallicity", "disc", kpc_per_arcsec=arc.kpc_per_arcsec())
        hero.savefig(Path(FIGURES) / f"{arc.name}_scatter_{jitter}_shifts_{shifts}.png", dpi=100)
    kpc = arc.kpc_per_arcsec()
    q, pa = (posterior.draws.get(SITE + f"frame.{name}") for name in ("q", "pa"))
    if nearly_round:
        q, pa = jm.frame.from_ellipticity(*(posterior.draws[SITE + f"frame.{name}"] for name in ("e1", "e2")))
    quantities = {
        "slope_dex_per_kpc": posterior.draws[GRADIENT + "slope"] / kpc,
        "central_dex": posterior.draws[GRADIENT + "central"],
        "q": q,
        "pa_deg": pa,
    } | ({"scatter_dex": posterior.draws["metallicity.noise.jitter"]} if jitter else {})
    return {
        "method": posterior.method,
        "decisions": posterior.decisions,
        "findings": [str(finding) for finding in posterior.findings],
        "chi2": float(np.nansum(jm.result.residual(posterior, "metallicity") ** 2)),
        "n_data": int(np.sum(observation.used)),
        "divergences": int(posterior.sampler["diverging"].sum()),
        "r_hat": max(r_hat(values) for values in posterior.draws.values()),
        "best": {name: float(np.ravel(value)[0]) for name, value in posterior.best.items()},
        "quantiles_16_50_84": {name: np.quantile(v, [0.16, 0.5, 0.84]).tolist() for name, v in quantities.items()},
        "seconds": posterior.seconds,
    }


def main(names: list[str]) -> None:
    """Runs everything for the named arcs."""
    arcs.main_double()
    for name in names:
        arc = Arc(name)
        result: dict[str, Any] = {
            "versions": {"jaxmetal": jm.__version__, "jax": jax.__version__, "machine": platform.machine()}
        }
        result["forward_check_max_dex"] = forward_check(arc)
        result["unweighted_map"] = unweighted_map(arc)
        print(name, json.dumps(result, indent=1, default=float)[:4000], flush=True)
        stored = RESULTS.joinpath(f"arcs_{name}.json")
        result["weighted"] = json.loads(stored.read_text())["weighted"] if stored.exists() else {}
        for jitter in (False, True):
            for shifts in (False, True) if name == "a370" else (False,):
                label = f"scatter_{'on' if jitter else 'off'}" + ("_shifts" if shifts else "")
                if label in result["weighted"]:
                    continue
                result["weighted"][label] = weighted_fit(arc, jitter=jitter, shifts=shifts)
                stored.write_text(json.dumps(result, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(arcs.FWHM))
