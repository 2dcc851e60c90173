"""The fit of fluxes of `line_maps.py` on many more discs, by the Gaussian about its maximum.

    python benchmarks/line_maps_gaussian.py [discs, default 900]

The same discs, data and priors, but for Hb, which is given as it was emitted; the first hundred of them are those of
`line_maps.py`. A maximum by Gauss and Newton, the
covariance from the derivatives of the residuals there. What is wrong with priors, with how truths are drawn or with the
model shows in the pulls; what a Gaussian misses of a posterior, and how chains sample, does not. A disc takes a
thousandth of the time of `line_maps.py`. Writes results/line_maps_gaussian.json.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from line_maps import SITE, drawn, observed, prior_of_fluxes
from resumable import run, write

from jaxmetal.fit import problem as fit
from jaxmetal.machine import keep_memory
from jaxmetal.model import SCENE
from jaxmetal.observation import predict_all
from jaxmetal.prior import fill

TURNS, ENOUGH = 40, 1e-6
"""Steps at most, and the fall of chi^2 that ends them."""
DISC = "scene.sources.disc."


@jax.jit
def linear(problem: fit.Problem, vector: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Residuals of data and of priors, which are standard normal in a fit's own numbers, and their derivatives."""

    def residuals(at: jax.Array) -> jax.Array:
        filled = fill(problem.skeleton, fit.constrain(problem.sites, at)[0])
        lines = filled["lines"]
        seen = predict_all(filled, filled[SCENE], problem.plans)["lines"].value
        return jnp.concatenate([((lines.data - seen) / lines.noise.sigma).ravel(), at])

    return residuals(vector), jax.jacfwd(residuals)(vector)


def true_values(galaxy: dict[str, Any]) -> dict[str, float]:
    """Parameter -> what it is."""
    return {
        SITE: galaxy["slope"],
        DISC + "carries.metallicity.profile.central": galaxy["central"],
        DISC + "carries.extinction.profile.slope": galaxy["dust"],
        DISC + "carries.extinction.profile.central": galaxy["a_v"],
        DISC + "lights.Hbeta.flux": 100.0,
        DISC + "lights.Hbeta.r_eff": galaxy["r_eff"],
        **{f"{DISC}departures.{name}": value for name, value in galaxy["departures"].items()},
    }


def one(seed: int) -> dict[str, Any]:
    """Pulls, (maximum - truth) / sigma in a fit's own numbers, and sigma of the slope, dex/R_e."""
    galaxy = drawn(seed)
    problem = fit.make(prior_of_fluxes(galaxy), {"lines": observed(galaxy, seed)})
    truth = np.asarray(fit.unconstrain(problem.sites, true_values(galaxy)))
    best, covariance = climbed(problem, truth)
    sigma = np.sqrt(np.diag(covariance))
    pulls = dict(zip(problem.sites, ((best - truth) / sigma).tolist(), strict=True))
    # The prior of the slope is Normal(0, 0.5 / R_e).
    return {"upper": galaxy["upper"], "pulls": pulls, "sigma": 0.5 * float(sigma[list(problem.sites).index(SITE)])}


def climbed(problem: fit.Problem, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The maximum next to a vector, and the covariance there; by damped steps."""
    damping = 0.0
    residual, slopes = map(np.asarray, linear(problem, vector))
    for _ in range(TURNS):
        normal = slopes.T @ slopes
        step = -np.linalg.solve(normal + damping * np.diag(np.diag(normal)), slopes.T @ residual)
        ahead, its_slopes = map(np.asarray, linear(problem, vector + step))
        gain = residual @ residual - ahead @ ahead
        if not gain > -ENOUGH:
            damping = max(10.0 * damping, 1e-3)
            continue
        vector, residual, slopes, damping = vector + step, ahead, its_slopes, 0.1 * damping if damping > 1e-4 else 0.0
        if gain < ENOUGH:
            break
    return vector, np.linalg.inv(slopes.T @ slopes)


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all parameters: mean and rms of the pulls, and how many lie within 1."""
    pulls = {name: np.array([row["pulls"][name] for row in rows]) for name in rows[0]["pulls"]}
    return {
        name.removeprefix(DISC): {
            "mean pull": float(p.mean()),
            "rms": float(np.sqrt(np.mean(p**2))),
            "coverage of 68 %": float(np.mean(np.abs(p) < 1.0)),
        }
        for name, p in pulls.items()
    }


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 900
    rows = run("line_maps_gaussian", list(range(count)), one)
    parts = {"all": rows} | {
        name: [row for row in rows if row["upper"] == up] for name, up in (("lower", 0), ("upper", 1))
    }
    slopes = {name: {"discs": len(part)} | summed(part)[SITE.removeprefix(DISC)] for name, part in parts.items()}
    write("line_maps_gaussian", {f"slope, {name}": one for name, one in slopes.items()} | {"all numbers": summed(rows)})


if __name__ == "__main__":
    main()
