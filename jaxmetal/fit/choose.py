"""`auto`: from a prior and data to a `Posterior`, by the cheapest sampler that the posterior allows, checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.errors import InputError
from jaxmetal.findings import Finding, worst_first
from jaxmetal.fit.chains import CHUNK, Chains, Settings, run
from jaxmetal.fit.diagnose import converged, diagnose, prior_warnings, unwrap
from jaxmetal.fit.laplace import ImportanceDraws, Laplace, importance_draws, laplace
from jaxmetal.fit.optimum import Status, maximise, starts
from jaxmetal.fit.problem import Problem, constrain, make
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.posterior import Posterior

METHODS = ("auto", "map", "laplace", "hmc", "nuts")
TRUSTED = 0.7
"""Largest Pareto k-hat at which the Laplace approximation is trusted to whiten for fixed-length HMC."""


class Peak(NamedTuple):
    """The maximum of the posterior and the Gaussian around it."""

    best: dict[str, np.ndarray]
    log_posterior: float
    status: Status
    gaussian: Laplace
    weighted: ImportanceDraws


def auto(
    scene: Any,
    observations: Mapping[str, Any],
    *,
    method: str = "auto",
    seed: int = 0,
    chains: int = 4,
    draws: int = 500,
    warmup: int | None = None,
    start: Mapping[str, Any] | None = None,
    start_count: int = 3,
    sampling: Mapping[str, Sampling] | None = None,
    progress: bool = True,
) -> Posterior:
    """Fits a prior scene to observations.

    The maximum is found from several starts; the curvature there whitens the space. With method "auto", fixed-length
    HMC is run where importance weights show the posterior to be close to Gaussian (k-hat < 0.7), NUTS elsewhere; if the
    HMC chains do not converge, NUTS is run after all. The posterior's `decisions` tell which and why.

    Args:
        scene: a `Scene` whose leaves are numbers (fixed) or NumPyro distributions (free).
        observations: name -> `Image` or `WeightedMap`; all are fitted jointly.
        method: "auto", "nuts", "hmc", "laplace" (importance-weighted draws) or "map" (no draws: the best value alone).
        seed: of all random numbers.
        chains: number of chains.
        draws: kept draws per chain, rounded up to a multiple of 50.
        warmup: steps per chain before; by default 50 for HMC, 300 for NUTS.
        start: parameter name -> value near which the optimiser is to begin; the median of the prior for the others.
        start_count: starts of the optimiser.
        sampling: sample grids, where the automatic choice is not wanted.
        progress: show progress bars.

    Raises:
        InputError: on an unknown method, a start outside its prior, or as `prepare`.
    """
    if method not in METHODS:
        raise InputError(f"Unknown method '{method}'; choose one of {', '.join(METHODS)}.")
    clock = _Clock()
    keys = jax.random.split(jax.random.key(seed), 3)
    problem = make(scene, observations, sampling)
    clock.mark("prepare")
    peak = find_peak(problem, keys[0], start_count, start=start)
    clock.mark("optimise")
    findings = [*prior_warnings(problem.sites), *_peak_findings(peak)]
    decisions: list[str] = []
    sampler: Chains | None = None
    if method == "auto":
        method = "hmc" if peak.weighted.k_hat < TRUSTED else "nuts"
        decisions.append(
            f"{method.upper()} chosen: the Laplace approximation has k-hat {peak.weighted.k_hat:.2f} "
            f"({'below' if method == 'hmc' else 'not below'} {TRUSTED})."
        )
        automatic = True
    else:
        decisions.append(f"{method.upper()} as asked.")
        automatic = False
    if method in ("hmc", "nuts"):
        settings = _settings(method, chains, draws, warmup, peak)
        sampler = run(problem, peak.gaussian, keys[1], settings, progress)
        values = unwrap(constrained(problem, sampler.vectors), peak.best)
        if automatic and method == "hmc" and not converged(values, sampler):
            decisions.append(
                "NUTS run as well: the HMC chains had not converged (R-hat, effective samples or divergences)."
            )
            method = "nuts"
            sampler = run(problem, peak.gaussian, keys[2], _settings(method, chains, draws, warmup, peak), progress)
            values = unwrap(constrained(problem, sampler.vectors), peak.best)
        findings += diagnose(values, sampler, problem.sites)
    elif method == "laplace":
        values = unwrap(constrained(problem, _resample(peak, keys[1], chains, draws)), peak.best)
    else:
        values = {name: np.asarray(value)[None, None] for name, value in peak.best.items()}
    clock.mark("sample")
    return Posterior(
        tree={"scene": scene, **observations},
        plans=problem.plans,
        draws=values,
        best=peak.best,
        log_posterior=peak.log_posterior,
        log_evidence=float(peak.gaussian.log_evidence),
        k_hat=peak.weighted.k_hat,
        sampler={} if sampler is None else {n: v for n, v in sampler._asdict().items() if n != "vectors"},
        method=method,
        decisions=tuple(decisions),
        findings=worst_first(findings),
        seconds=clock.seconds,
        seed=seed,
    )


def find_peak(
    problem: Problem, key: jax.Array, start_count: int = 3, draws: int = 500, start: Mapping[str, Any] | None = None
) -> Peak:
    """MAP from several starts, the mode of the unconstrained density next to it, and the Laplace approximation there.

    Raises:
        InputError: if the posterior is not finite at any start; the parameters that are not finite are named.
    """
    points = starts(problem, key, start_count, start)
    ends = maximise(problem, points, 0.0)
    best = ends[0]
    if not np.isfinite(float(best.log_density)):
        raise InputError(_not_finite(problem, points[0]))
    gaussian = laplace(problem, maximise(problem, best.vector[None], 1.0)[0])
    values = constrain(problem.sites, best.vector)[0]
    return Peak(
        best={name: np.asarray(value) for name, value in values.items()},
        log_posterior=float(best.log_density),
        status=Status(int(best.status)),
        gaussian=gaussian,
        weighted=importance_draws(problem, gaussian, key, draws),
    )


def constrained(problem: Problem, vectors: Any) -> dict[str, np.ndarray]:
    """Parameters of unconstrained vectors (chains, draws, size)."""
    values = _constrain_all(problem.sites, jnp.asarray(vectors))
    return {name: np.asarray(value) for name, value in values.items()}


@jax.jit
def _constrain_all(sites: dict[str, Any], vectors: jax.Array) -> dict[str, jax.Array]:
    return jax.vmap(jax.vmap(lambda vector: constrain(sites, vector)[0]))(vectors)


def _settings(method: str, chains: int, draws: int, warmup: int | None, peak: Peak) -> Settings:
    steps = warmup if warmup is not None else (50 if method == "hmc" else 300)
    return Settings(
        algorithm=method.upper(),
        chains=chains,
        warmup=-(-steps // CHUNK) * CHUNK,
        draws=-(-draws // CHUNK) * CHUNK,
        adapt_mass=method == "nuts" and peak.weighted.k_hat >= TRUSTED,
    )


def _resample(peak: Peak, key: jax.Array, chains: int, draws: int) -> jax.Array:
    """Draws from the importance-weighted approximation, equally weighted."""
    picked = jax.random.categorical(key, jnp.asarray(peak.weighted.log_weights), shape=(chains, draws))
    return peak.weighted.vectors[picked]


def _peak_findings(peak: Peak) -> list[Finding]:
    found = []
    if peak.status != Status.CONVERGED:
        found.append(
            Finding(
                "warning",
                f"The maximum was not reached ({peak.status.name.lower()}); start nearer to it by narrower priors.",
            )
        )
    if peak.weighted.k_hat >= TRUSTED:
        found.append(
            Finding(
                "info",
                f"The posterior is not close to Gaussian (k-hat {peak.weighted.k_hat:.2f}); "
                "do not use Laplace's evidence.",
            )
        )
    return found


def _not_finite(problem: Problem, vector: jax.Array) -> str:
    values = constrain(problem.sites, vector)[0]
    bad = [name for name, value in values.items() if not np.all(np.isfinite(np.asarray(value)))]
    where = (
        f"parameters {', '.join(bad)} are not finite"
        if bad
        else "all parameters are finite, so look at the data, sigma and fixed numbers"
    )
    return (
        f"The posterior is not finite at any start: {where}; "
        "print `jaxmetal.typical(prior)` to see where the fit starts."
    )


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage], self._last = now - self._last, now
