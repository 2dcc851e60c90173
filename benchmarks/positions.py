"""Twenty mock clusters from positions of their multiple images: a power law, a shear and four isothermal galaxies.

The recipe of lensed arcs behind clusters such as MACS0451 (KLEVER: Curti et al. 2020, MNRAS 492, 821). Truths are drawn
from the prior. Eight sources at known redshifts each; their images are found by lenstronomy's solver with lenstronomy's
deflections, images fainter than 0.1 or brighter than 25 times their source are not seen (centres, merging pairs), and
families of one image are left out. Errors are 0.05". Bars: each of the halo's six numbers lies within its 68 %
interval in 9 to 18 of 20; residuals of the images are the noise.

    python benchmarks/positions.py        # about 4 CPU minutes; resumes

Draws of the Gaussian are corrected by Metropolis steps; twelve numbers on 2 to 36 degrees of freedom leave posteriors
with tails that such chains may not reach, and where R-hat says so NUTS samples them. Independent chains of NumPy alone
(`positions_numpy.py`) have the axis ratio inside in 9 of the same 20, as these; with 300 draws of a chain in the place
of 3,000 the Monte Carlo error of one interval's end makes it 8.

Truths, ranks and intervals of each mock: results/positions.jsonl. Writes results/positions.json.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1")

import jax
import numpy as np
import numpyro.distributions as dist
import resumable
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

import jaxmetal as jm

COUNT, FAMILIES, PADDED, SIGMA = 20, 8, 36, 0.05
TRIES, R_HAT = (("laplace", 3000), ("nuts", 500)), 1.02
"""Methods and draws of each of two chains, in turn until R-hat is below this."""
RADIUS = 3.0
"""Largest distance of a source from the middle, arcsec."""
SEEN = (0.1, 25.0)
"""Magnifications of the images that are seen."""
X0, Y0 = np.array([9.0, -5.0, -12.0, 4.0]), np.array([4.0, 12.0, -6.0, -11.0])
GALAXIES = np.array([0.6, 0.5, 0.4, 0.3])
"""Typical Einstein radii of the galaxies, arcsec."""
PERIOD = {"pa": 180.0}
HALO = {
    "theta_e": dist.Normal(15.0, 2.0),
    "gamma": dist.Normal(2.0, 0.15),
    "q": dist.Uniform(0.6, 0.95),
    "pa": dist.Uniform(0.0, 180.0),
    "x0": dist.Normal(0.0, 0.5),
    "y0": dist.Normal(0.0, 0.5),
}
SHEAR = {"gamma1": dist.Normal(0.0, 0.04), "gamma2": dist.Normal(0.0, 0.04)}


def cluster(halo: dict[str, Any], shear: dict[str, Any], galaxies: Any) -> jm.Scene:
    """The scene."""
    lens = {
        "halo": jm.lens.EPL(**halo, terms=10),
        "shear": jm.lens.Shear(**shear),
        "galaxies": jm.lens.Stack(of=jm.lens.SIS(theta_e=galaxies, x0=X0, y0=Y0)),
    }
    return jm.Scene(sources={}, lens=lens)


def lenstronomy(truth: dict[str, Any]) -> tuple[LensModel, list[dict[str, float]]]:
    """The same lens by lenstronomy, in the same right-handed frame (x West)."""
    halo, shear = truth["halo"], truth["shear"]
    phi, size = np.deg2rad(halo["pa"] + 90.0), (1.0 - halo["q"]) / (1.0 + halo["q"])
    main = {key: halo[key] for key in ("theta_e", "gamma", "x0", "y0")}
    numbers = [
        {
            "theta_E": main["theta_e"],
            "gamma": main["gamma"],
            "e1": size * np.cos(2 * phi),
            "e2": size * np.sin(2 * phi),
            "center_x": main["x0"],
            "center_y": main["y0"],
        },
        shear,
        *({"theta_E": t, "center_x": x, "center_y": y} for t, x, y in zip(truth["galaxies"], X0, Y0, strict=True)),
    ]
    return LensModel(["EPL", "SHEAR", *["SIS"] * len(X0)]), numbers


def scaled(numbers: list[dict[str, float]], ratio: float) -> list[dict[str, float]]:
    """The lens as a source at another distance sees it: deflections times a factor."""
    halo = numbers[0]
    return [
        {**halo, "theta_E": halo["theta_E"] * ratio ** (1.0 / (halo["gamma"] - 1.0))},
        {key: ratio * value for key, value in numbers[1].items()},
        *({**one, "theta_E": ratio * one["theta_E"]} for one in numbers[2:]),
    ]


def mock(seed: int) -> tuple[dict[str, Any], Any]:
    """Truth and observation."""
    keys = iter(jax.random.split(jax.random.key(seed), 20))
    truth: dict[str, Any] = {
        group: {name: float(prior.sample(next(keys))) for name, prior in priors.items()}
        for group, priors in (("halo", HALO), ("shear", SHEAR))
    }
    random = np.random.default_rng(seed)
    truth["galaxies"] = GALAXIES * np.exp(0.3 * random.standard_normal(4))
    model, numbers = lenstronomy(truth)
    solver, family, places, ratios = LensEquationSolver(model), [], [], {}
    for k in range(FAMILIES):
        radius, angle = RADIUS * np.sqrt(random.uniform()), random.uniform(0.0, 2.0 * np.pi)
        ratio = float(random.uniform(0.6, 1.0))
        one = scaled(numbers, ratio)
        x, y = solver.image_position_from_source(
            radius * np.cos(angle), radius * np.sin(angle), one, min_distance=0.5, search_window=70.0,
            precision_limit=1e-8, num_iter_max=100,
        )  # fmt: skip
        mu = np.abs(model.magnification(x, y, one)) if len(x) else np.zeros(0)
        seen = (mu > SEEN[0]) & (mu < SEEN[1])
        if seen.sum() > 1:
            ratios[f"{k}"] = ratio
            family += [f"{k}"] * int(seen.sum())
            places.append(np.stack([x[seen], y[seen]]))
    true = np.concatenate(places, axis=1)
    data = true + SIGMA * random.standard_normal(true.shape)
    images = jm.recipes.multiple_images(family, *data, sigma=SIGMA, distance_ratio=ratios)
    return truth, padded(images)


def padded(images: Any) -> Any:
    """With images and families that do not count, so that all mocks share their programs."""
    more = PADDED - images.data.shape[1]
    wide = np.pad(images.data, ((0, 0), (0, more)), mode="edge")
    names = tuple(f"{k}" for k in range(FAMILIES))
    numbers = np.array([int(images.families[k]) for k in images.family])
    return dataclasses.replace(
        images,
        data=wide,
        around=wide,
        noise=jm.likelihood.Integrated(sigma=np.full(wide.shape, SIGMA)),
        used=np.pad(images.used, ((0, 0), (0, more))),
        family=np.pad(numbers, (0, more), mode="edge"),
        families=names,
        distance_ratio={name: images.distance_ratio.get(name, 1.0) for name in names},
    )


def one(seed: int, tries: tuple[tuple[str, int], ...] = TRIES) -> dict[str, Any]:
    """A mock, fitted."""
    truth, images = mock(seed)
    prior = cluster(HALO, SHEAR, dist.LogNormal(np.log(GALAXIES), 0.3))
    for method, draws in tries:
        options = {"method": method, "chains": 2, "draws": draws, "progress": False}
        fit = jm.fit.auto(prior, {"images": images}, seed=seed, **options)
        seen = jm.result.view(fit)
        if max(number.r_hat for number in seen.parameters) < R_HAT:
            break
    row: dict[str, Any] = {"method": fit.method, "k_hat": float(fit.k_hat), "seconds": sum(fit.seconds.values())}
    row["r_hat"] = max(number.r_hat for number in seen.parameters)
    halo = {}
    for name, value in truth["halo"].items():
        drawn = seen.unwrapped[f"scene.lens.halo.{name}"].ravel()
        period = PERIOD.get(name)
        value += 0.0 if period is None else period * np.round((np.median(drawn) - value) / period)
        low, middle, high = np.quantile(drawn, [0.16, 0.5, 0.84])
        prior_sd = float(np.sqrt(HALO[name].variance))
        halo[name] = {
            "truth": value, "low": low, "median": middle, "high": high, "sd_over_prior": drawn.std() / prior_sd,
            "rank": float(np.mean(drawn < value)),
        }  # fmt: skip
    used = int(np.sum(images.used))
    freedom = used - 2 * len(np.unique(images.family)) - sum(np.size(best) for best in fit.best.values())
    return row | {"halo": halo, "chi2": seen.chi2["images"], "freedom": freedom, "images": used // 2}


def main() -> None:
    """All mocks, then the bars."""
    jax.config.update("jax_enable_x64", True)
    name = "positions"
    rows = resumable.run(name, list(range(COUNT)), one)
    inside = {name: sum(r["halo"][name]["low"] < r["halo"][name]["truth"] < r["halo"][name]["high"] for r in rows)
              for name in HALO}  # fmt: skip
    narrowed = {name: float(np.median([r["halo"][name]["sd_over_prior"] for r in rows])) for name in HALO}
    chi2, freedom = sum(r["chi2"] for r in rows), sum(r["freedom"] for r in rows)
    resumable.write(
        name,
        {
            "mocks": len(rows),
            "images": [r["images"] for r in rows],
            "inside_68_percent": inside,
            "within_9_to_18": all(9 <= count <= 18 for count in inside.values()),
            "median_sd_over_prior": narrowed,
            "rms_residual_over_noise": float(np.sqrt(chi2 / freedom)),
            "chi2_over_freedom": {"all": chi2 / freedom, "of_each": [r["chi2"] / r["freedom"] for r in rows]},
            "methods": [r["method"] for r in rows],
            "r_hat": max(r["r_hat"] for r in rows),
        },
    )


if __name__ == "__main__":
    main()
