"""Goodness of fit: how often right models are called poor, and how often wrong ones are found out.

    python benchmarks/goodness.py [galaxies of each wrong kind, default 20]

Joint maximum-likelihood fits of an image and a metallicity map (25 x 25 pixels, errors of 0.043 dex: S/N 10 per pixel
in Z) of discs of random size, shape, place and gradient, each with the errors as they are stated and with a free jitter
in both: 200 right models with Gaussian noise, fewer with Student's t and with noise that neighbours share, and wrong
ones. Of these count those that leave a chi2 above 5 sqrt(2 N) when fitted to noise-free data; that of wrong errors is
known. Writes results/goodness.json; groups of fits in results/goodness.jsonl.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

import jaxmetal as jm
from jaxmetal.likelihood import Correlated, Gaussian, GaussianCorrelation, StudentT
from jaxmetal.model import SCENE
from jaxmetal.prior import fill

SHAPE, PIXEL, FWHM = (25, 25), 0.2, 0.6
SIGMA = {"image": 3e-4, "map": 0.0434}
FAINTEST = 0.02
"""Light over its peak down to which the map is used."""
TOGETHER = 20
"""Galaxies of a group, which share programs."""

WRONG = ("ring", "psf", "clump", "centre", "errors / 2", "errors x 2", "errors of Z / 2", "errors of Z x 2")
RIGHT = ("right", "student", "correlated")
CENTRE = ("scene.sources.disc.frame.x0", "scene.sources.disc.frame.y0")
CARRIED = "scene.sources.disc.carries.metallicity.profile"


def ring(x: Any, y: Any, *, excess: float, radius: float) -> Any:
    """What lies on a ring is richer."""
    return excess * jnp.exp(-0.5 * ((jnp.hypot(x, y) - radius) / 0.25) ** 2)


def model(centre: tuple[float, float] | None = None) -> jm.Scene:
    """The prior of a disc with a gradient; its centre may be fixed."""
    x0, y0 = centre or (dist.Normal(0.0, 0.3), dist.Normal(0.0, 0.3))
    gradient = jm.tracer.Gradient(central=dist.Normal(8.6, 0.3), slope=dist.Normal(0.0, 0.3))
    disc = jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=y0, q=dist.Uniform(0.2, 1.0), pa=dist.Normal(40.0, 60.0)),
        lights={"line": jm.light.Exponential(flux=dist.LogNormal(0.0, 0.3), r_eff=dist.LogNormal(-0.4, 0.4))},
        carries={"metallicity": jm.Carried(profile=gradient, weight="line")},
    )
    return jm.Scene(sources={"disc": disc})


def drawn(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Parameters of a galaxy."""
    disc = "scene.sources.disc"
    values = {
        CENTRE[0]: random.normal(0.0, 0.15),
        CENTRE[1]: random.normal(0.0, 0.15),
        f"{disc}.frame.q": random.uniform(0.4, 0.9),
        f"{disc}.frame.pa": random.uniform(0.0, 80.0),
        f"{disc}.lights.line.flux": random.lognormal(0.0, 0.2),
        f"{disc}.lights.line.r_eff": random.lognormal(-0.4, 0.3),
        f"{CARRIED}.central": random.normal(8.6, 0.15),
        f"{CARRIED}.slope": random.normal(-0.1, 0.1),
    }
    return {name: np.asarray(value) for name, value in values.items()}


def sky(kind: str, values: dict[str, np.ndarray], random: np.random.Generator) -> jm.Scene:
    """The galaxy as it is; all are of one structure, so that they share programs."""
    disc = fill({SCENE: model()}, values)[SCENE].sources["disc"]
    size = float(disc.lights["line"].r_eff)
    excess, turn = random.uniform(-0.5, 0.5), random.uniform(0.0, 2.0 * np.pi)
    far, width = size * random.uniform(0.3, 1.5), random.uniform(0.3, 0.9)
    parts = {
        "gradient": disc.carries["metallicity"].profile,
        "ring": jax.tree_util.Partial(ring, excess=excess if kind == "ring" else 0.0, radius=far),
        "clump": jm.tracer.Blob(
            amplitude=0.2 if kind == "clump" else 0.0, sigma=width, u0=far * np.cos(turn), v0=far * np.sin(turn)
        ),
    }
    carried = dataclasses.replace(disc.carries["metallicity"], profile=jm.tracer.Sum(parts=parts))
    return jm.Scene(sources={"disc": dataclasses.replace(disc, carries={"metallicity": carried})})


def noise(kind: str, name: str, factor: float = 1.0, jitter: bool = False) -> Any:
    """Of an observation, with errors that may be wrong by a factor."""
    sigma = np.full(SHAPE, factor * SIGMA[name])
    free = {"jitter": dist.HalfNormal(2.0 * SIGMA[name])} if jitter else {}
    if kind == "student":
        return StudentT(sigma=sigma, nu=4.0, **free)
    if kind == "correlated":
        return Correlated(noise=Gaussian(sigma=sigma), correlation=GaussianCorrelation(fwhm=2.5), **free)
    return Gaussian(sigma=sigma, **free)


def telescope(kind: str, fwhm: float, factors: dict[str, float], jitter: bool) -> dict[str, Any]:
    """An image and a metallicity map of the same line."""
    shared = {
        "grid": jm.Grid.regular(SHAPE, PIXEL),
        "psf": jm.instrument.Gaussian(fwhm=fwhm),
        "data": np.zeros(SHAPE),
        "used": np.ones(SHAPE, bool),
    }
    noises = {name: noise(kind, name, factors[name], jitter) for name in SIGMA}
    return {
        "image": jm.Image(noise=noises["image"], light="line", **shared),
        "map": jm.WeightedMap(noise=noises["map"], properties=("metallicity",), mixing=jm.mixing.Dex(), **shared),
    }


def wrong_errors(kind: str) -> dict[str, float]:
    """Observation -> stated errors over the true ones."""
    factor = 0.5 if kind.endswith("/ 2") else 2.0 if kind.endswith("x 2") else 1.0
    return {"image": 1.0 if "of Z" in kind else factor, "map": factor}


def galaxy(kind: str, seed: int, jitter: bool, noisy: bool) -> tuple[jm.fit.Galaxy, float]:
    """One to be fitted by the model, and the excess of chi2 if it is known."""
    random = np.random.default_rng([seed, (*RIGHT, *WRONG).index(kind)])
    values = drawn(random)
    truth, turn = sky(kind, values, random), random.uniform(0.0, 2.0 * np.pi)
    true = telescope(kind, FWHM, dict.fromkeys(SIGMA, 1.0), False)
    plans = jm.prepare(truth, true)
    seen = {name: jm.predict(true[name], truth, plans[name]) for name in true}
    used = {"image": np.ones(SHAPE, bool), "map": np.asarray(seen["map"].light > FAINTEST * seen["map"].light.max())}
    keys = dict(zip(true, jax.random.split(jax.random.key(seed)), strict=True))
    data = {n: true[n].noise.draw(keys[n], *seen[n]) if noisy else seen[n].value for n in true}
    factors = wrong_errors(kind)
    asked = telescope(kind, 1.2 * FWHM if kind == "psf" else FWHM, factors, jitter)
    observations = {n: dataclasses.replace(o, data=np.asarray(data[n]), used=used[n]) for n, o in asked.items()}
    excess = sum(float(abs(factors[name] ** -2 - 1.0) * used[name].sum()) for name in used)
    centre = None
    if kind == "centre":
        centre = tuple(float(values[n]) + 0.5 * FWHM * f(turn) for n, f in zip(CENTRE, (np.cos, np.sin), strict=True))
        values = {name: value for name, value in values.items() if name not in CENTRE}
    name = f"{seed}" if noisy else f"{seed}, no noise"
    return jm.fit.Galaxy(name=name, scene=model(centre), observations=observations, start=values), excess


def fits(kind: str, group: int, jitter: bool, noisy: bool = True) -> dict[str, dict[str, Any]]:
    """Seed -> what is said of each galaxy of a group."""
    posed = [galaxy(kind, TOGETHER * group + i, jitter, noisy) for i in range(TOGETHER)]
    known = {one.name: excess for one, excess in posed}
    found = {}
    for name, posterior in jm.fit.batch([one for one, _ in posed], method="map", start_count=1, progress=False):
        seen = jm.result.view(posterior)
        found[name.split(",")[0]] = {
            "misfit": {label: one.misfit for label, one in seen.goodness.items()},
            "chi2": seen.chi2,
            "data": sum(seen.counts.values()),
            "excess": known[name],
            "verdicts": [one.verdict for one in seen.goodness.values() if not one.fits],
        }
    return found


def group(key: list[Any]) -> dict[str, Any]:
    """One group; of wrong models that leave an excess of chi2, this is measured as well."""
    kind, jitter, number = key
    found = fits(kind, number, jitter)
    if kind in WRONG and not jitter and "errors" not in kind:
        for name, clean in fits(kind, number, jitter, noisy=False).items():
            found[name]["excess"] = sum(clean["chi2"].values())
    return {"fits": found}


def summarised(rows: dict[str, dict[str, Any]], excess: dict[str, float]) -> dict[str, Any]:
    """How many of the galaxies of a kind are called poor."""
    poor = {name: bool(one["verdicts"]) for name, one in rows.items()}
    large = [name for name, one in rows.items() if excess[name] > 5.0 * np.sqrt(2.0 * one["data"])]
    return {
        "fits": len(poor),
        "poor": sum(poor.values()),
        "of large excess": len(large),
        "of those poor": sum(poor[name] for name in large),
    }


def main(count: int) -> None:
    """All groups and what they say."""
    jax.config.update("jax_enable_x64", True)
    groups = max(1, count // TOGETHER)
    wanted = {"right": 200 // TOGETHER, **dict.fromkeys(("student", *WRONG, "correlated"), groups)}
    keys = [[kind, jitter, i] for kind, many in wanted.items() for jitter in (False, True) for i in range(many)]
    rows = run("goodness", keys, group)
    joined: dict[tuple[str, bool], dict[str, Any]] = {}
    for row in rows:
        joined.setdefault(tuple(row["key"][:2]), {}).update(row["fits"])
    words = {False: "errors as stated", True: "free jitter"}
    table = {
        f"{kind}, {words[jitter]}": summarised(
            found, {name: one["excess"] for name, one in joined[kind, False].items()}
        )
        for (kind, jitter), found in joined.items()
    }
    right = [one for name, one in table.items() if name.split(",")[0] in RIGHT]
    wrong = [one for name, one in table.items() if name.split(",")[0] in WRONG]
    share = sum(one["of those poor"] for one in wrong) / sum(one["of large excess"] for one in wrong)
    write(
        "goodness",
        {
            "right models called poor (bar: 0.05)": sum(one["poor"] for one in right)
            / sum(one["fits"] for one in right),
            "wrong ones of large excess found out (bar: 0.9)": share,
            "kinds": table,
        },
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
