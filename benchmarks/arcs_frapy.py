"""FRApy's fit of the two real arcs in FRApy's own parameters (Patricio et al. 2019, Table 2), twice.

By emcee on the numpy operator of tests/reference, and by jaxmetal's NUTS with a frame and a profile of its own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import arcs
import emcee
import jax
import numpy as np
import numpyro.distributions as dist
from arcs import Arc, frapy_observation

import jaxmetal as jm
from jaxmetal.frame import Disc
from jaxmetal.numerics.convergence import effective_samples, r_hat
from jaxmetal.numerics.tree import node

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from reference.frapy import PARAMETERS, Galaxy, frapy_model

WALKERS, BURN, STEPS, SEED = 32, 1000, 8000, 20190701
DRAWS = 1500
"""Of each of 4 NUTS chains."""
FRAME, PROFILE = "scene.sources.disc.frame.", "scene.sources.disc.carries.metallicity.profile."
SITES = {p: FRAME + p for p in ("cx", "cy", "pa")} | {p: PROFILE + p for p in ("z_grad", "z_0")} | {"q": "q"}


@node
class ImageCentredDisc:
    """A disc whose centre is a position in data pixels (0-based), traced through a fixed lens like every pixel."""

    cx: Any
    cy: Any
    q: Any
    pa: Any
    grid: Any
    lens: Any

    @property
    def disc(self) -> Disc:
        """The same disc, its centre on the source plane."""
        x, y = self.grid.to_sky(self.cx, self.cy)
        alpha_x, alpha_y = self.lens(x, y)
        return Disc(x0=x - alpha_x, y0=y - alpha_y, q=self.q, pa=self.pa)

    @property
    def axis_ratio(self) -> Any:
        return self.q

    @property
    def x0(self) -> Any:
        return self.disc.x0

    @property
    def y0(self) -> Any:
        return self.disc.y0

    def to_plane(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        return self.disc.to_plane(x, y)


@node
class FrapyGradient:
    """z_0 + z_grad q R: FRApy's slope per kpc of q R, R the deprojected radius."""

    z_0: Any
    z_grad: Any
    q: Any
    kpc_per_arcsec: Any

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        return jm.tracer.Gradient(central=self.z_0, slope=self.z_grad * self.q * self.kpc_per_arcsec)(u, v)


def mode_and_bounds(arc: Arc) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares answer in the order of PARAMETERS, and Table 2's bounds; pa within 90 degrees of the answer."""
    answer = arc.expected["lsq_on_bundle_data"]["gaussian_deprojected"]["free"]
    mode = {**answer, "z_grad": answer["z_grad"] / answer["q"]}
    bounds = {**arc.expected["published_table2_priors"], "pa": (answer["pa"] - 90, answer["pa"] + 90)}
    return np.array([mode[p] for p in PARAMETERS]), np.array([bounds[p] for p in PARAMETERS], float)


class LogPosterior:
    """The numpy operator for many walkers at once: blur and bins of `Galaxy` as one matrix."""

    def __init__(self, galaxy: Galaxy, bounds: np.ndarray) -> None:
        self.galaxy, self.bounds = galaxy, bounds
        down, across = galaxy.blur
        rows = [np.nonzero(galaxy.bins == b) for b in np.unique(galaxy.bins[galaxy.bins >= 0])]
        matrix = np.stack([(down[y].T @ across[x] / len(y)).ravel() for y, x in rows])
        seen = np.any(matrix > 0, axis=0)
        self.matrix, self.source = matrix[:, seen], [s.ravel()[seen, None] for s in galaxy.source]
        self.data, self.sigma = (m[:, None] for m in galaxy.measured)

    def model(self, params: np.ndarray) -> np.ndarray:
        """Metallicity, shape (n bins, n walkers); see `reference.frapy.unblurred`."""
        cx, cy, q, pa, z_grad, z_0 = params.T
        angle = np.deg2rad(90 + pa)
        dx, dy = (p - c for p, c in zip(self.source, self.galaxy.trace(cx, cy), strict=True))
        major = dx * np.cos(angle) + dy * np.sin(angle)
        minor = dy * np.cos(angle) - dx * np.sin(angle)
        return self.matrix @ (z_0 + z_grad * np.hypot(q * major, minor))

    def __call__(self, params: np.ndarray) -> np.ndarray:
        inside = np.all((params >= self.bounds[:, 0]) & (params <= self.bounds[:, 1]), axis=1)
        log = np.full(len(params), -np.inf)
        if inside.any():
            log[inside] = -0.5 * np.sum(((self.data - self.model(params[inside])) / self.sigma) ** 2, axis=0)
        return log


def by_emcee(arc: Arc) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws (steps, walkers) of emcee by parameter, and how it ran."""
    mode, bounds = mode_and_bounds(arc)
    galaxy = Galaxy(arc.name.upper(), arcs.DATA)
    density = LogPosterior(galaxy, bounds)
    same = np.max(np.abs(density.model(mode[None])[:, 0] - frapy_model(mode, galaxy)))
    errors = arc.expected["lsq_on_bundle_data"]["gaussian_deprojected"]["free"]["err"]
    spread = 0.3 * np.array([errors[p] for p in PARAMETERS])
    start = mode + spread * np.random.default_rng(SEED).standard_normal((WALKERS, len(mode)))
    # Not emcee's DESnookerMove: up to 3.1.6 its acceptance is wrong (emcee pull request 531): widths 4 % small.
    moves = [(emcee.moves.DEMove(), 0.8), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(WALKERS, len(mode), density, moves=moves, vectorize=True)
    sampler.random_state = np.random.RandomState(SEED).get_state()  # emcee's own kind of state
    began = time.process_time()
    state = sampler.run_mcmc(start, BURN)
    sampler.reset()
    sampler.run_mcmc(state, STEPS)
    chain, tau = sampler.get_chain(), sampler.get_autocorr_time(tol=0)
    accepted = sampler.acceptance_fraction
    return {p: chain[..., k] for k, p in enumerate(PARAMETERS)}, {
        "walkers": WALKERS,
        "burn_in": BURN,
        "steps": STEPS,
        "matrix_against_reference_dex": float(same),
        "autocorrelation_steps": dict(zip(PARAMETERS, tau.tolist(), strict=True)),
        "effective_samples": float(WALKERS * STEPS / tau.max()),
        "acceptance_min_max": [float(accepted.min()), float(accepted.max())],
        "chi2_best": float(-2 * sampler.get_log_prob().max()),
        "cpu_seconds": time.process_time() - began,
    }


def by_jaxmetal(arc: Arc) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws (chains, draws) of NUTS by FRApy's parameters, and how it ran."""
    mode, bounds = mode_and_bounds(arc)
    prior = {p: dist.Uniform(*map(float, b)) for p, b in zip(PARAMETERS, bounds, strict=True)}
    lens = arc.lens("bilinear")
    frame = ImageCentredDisc(
        cx=prior["cx"], cy=prior["cy"], q=jm.Tied("q", prior["q"]), pa=prior["pa"], grid=arc.grid, lens=lens["cluster"]
    )
    kpc = 1 / arc.expected["arcsec_per_kpc_WMAP9"]
    gradient = FrapyGradient(z_0=prior["z_0"], z_grad=prior["z_grad"], q=jm.Tied("q"), kpc_per_arcsec=kpc)
    disc = jm.Source(
        frame=frame,
        lights={"weight": jm.light.Unweighted()},
        carries={"metallicity": jm.Carried(profile=gradient, weight="weight")},
    )
    observation, sampling = frapy_observation(arc)
    began = time.process_time()
    posterior = jm.fit.auto(
        jm.Scene(sources={"disc": disc}, lens=lens),
        {"metallicity": observation},
        method="nuts",
        draws=DRAWS,
        seed=1,
        start={SITES[p]: float(v) for p, v in zip(PARAMETERS, mode, strict=True)},
        sampling=sampling,
        progress=False,
    )
    draws = {p: posterior.draws[SITES[p]] for p in PARAMETERS}
    first = bounds[PARAMETERS.index("pa"), 0]
    draws["pa"] = first + (draws["pa"] - first) % 180.0  # a fit reports it modulo 180
    return draws, {
        "chains": 4,
        "draws": DRAWS,
        "r_hat": max(r_hat(values) for values in draws.values()),
        "effective_samples": min(effective_samples(values) for values in draws.values()),
        "divergences": int(posterior.sampler["diverging"].sum()),
        "findings": [str(finding) for finding in posterior.findings],
        "map": {p: float(posterior.best[SITES[p]]) for p in PARAMETERS},
        "chi2_at_map": float(np.nansum(jm.result.residual(posterior, "metallicity") ** 2)),
        "cpu_seconds": time.process_time() - began,
    }
