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
from jaxmetal.fit.laplace import Laplace, Proposals, laplace, matched, propose
from jaxmetal.fit.metropolis import walk
from jaxmetal.fit.optimum import Status, maximise, rescale, starts
from jaxmetal.fit.problem import Problem, constrain, make
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.posterior import Posterior

LADDER = ("laplace", "hmc", "nuts")
"""Samplers from the cheapest to the most robust."""
METHODS = ("auto", "map", *LADDER)
TRUSTED = 0.7
"""Largest Pareto k-hat at which draws from the Laplace approximation are corrected one by one."""
GOOD, ROUNDS = 0.3, 2
"""k-hat from which proposals are drawn anew, from a Gaussian matched to their moments, and how often at most."""
CHECKED = 500
"""Proposals that judge the Laplace approximation where it does not sample."""


class Peak(NamedTuple):
    """The maximum of the posterior and the Gaussian around it.

    Attributes:
        best: parameters at the maximum.
        log_posterior: there.
        status: of the optimiser.
        gaussian: the Laplace approximation.
        k_hat: of proposals drawn from it.
        proposals: these, or those from a Gaussian with their moments where that is better.
    """

    best: dict[str, np.ndarray]
    log_posterior: float
    status: Status
    gaussian: Laplace
    k_hat: float
    proposals: Proposals


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

    The maximum is found from several starts; the curvature there whitens the space. With method "auto", draws from the
    Laplace approximation are corrected by Metropolis steps where importance weights show it to be good (k-hat < 0.7),
    NUTS is run elsewhere; if the corrected chains do not converge, fixed-length HMC is run, and if that does not
    either, NUTS. The posterior's `decisions` tell which and why.

    Args:
        scene: a `Scene` whose leaves are numbers (fixed) or NumPyro distributions (free).
        observations: name -> `Image` or `WeightedMap`; all are fitted jointly.
        method: "auto", "nuts", "hmc", "laplace" (Metropolis-corrected draws) or "map" (no draws: the best value alone).
        seed: of all random numbers.
        chains: number of chains.
        draws: kept draws per chain, rounded up to a multiple of 50.
        warmup: steps per chain before; by default 50 for HMC, 100 for NUTS in a well whitened space, 300 elsewhere.
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
    keys = jax.random.split(jax.random.key(seed), 5)
    problem = make(scene, observations, sampling)
    clock.mark("prepare")
    proposed = chains * draws if method in ("auto", "laplace") else CHECKED
    peak = find_peak(problem, keys[0], start_count, proposed, start)
    clock.mark("optimise")
    findings = [*prior_warnings(problem.sites), *_peak_findings(peak)]
    decisions = [f"{method.upper()} as asked."]
    if method == "auto":
        method, why = _cheapest(peak)
        decisions, rungs = [why], LADDER[LADDER.index(method) :]
    else:
        rungs = (method,)
    sampler: Chains | None = None
    values = {name: np.asarray(value)[None, None] for name, value in peak.best.items()}
    for rung in rungs if method != "map" else ():
        if sampler is not None:
            if converged(values, sampler):
                break
            decisions.append(
                f"{rung.upper()} run as well: the {method.upper()} chains had not converged "
                "(R-hat, effective samples or divergences)."
            )
            method = rung
        key = keys[1 + LADDER.index(rung)]
        if rung == "laplace":
            sampler = walk(peak.proposals, key, chains)
        else:
            sampler = run(problem, peak.gaussian, key, _settings(rung, chains, draws, warmup, peak), progress)
        values = unwrap(constrained(problem, sampler.vectors), peak.best)
    if sampler is not None:
        findings += diagnose(values, sampler, problem.sites)
    clock.mark("sample")
    return Posterior(
        tree={"scene": scene, **observations},
        plans=problem.plans,
        draws=values,
        best=peak.best,
        log_posterior=peak.log_posterior,
        log_evidence=peak.gaussian.log_evidence,
        k_hat=peak.k_hat,
        sampler={} if sampler is None else {n: v for n, v in sampler._asdict().items() if n != "vectors"},
        method=method,
        decisions=tuple(decisions),
        findings=worst_first(findings),
        seconds=clock.seconds,
        seed=seed,
    )


def find_peak(
    problem: Problem,
    key: jax.Array,
    start_count: int = 3,
    draws: int = CHECKED,
    start: Mapping[str, Any] | None = None,
) -> Peak:
    """MAP from several starts, the mode of the unconstrained density next to it, and the Laplace approximation there.

    Raises:
        InputError: if the posterior is not finite at any start; the parameters that are not finite are named.
    """
    points = starts(problem, key, start_count, start)
    best = maximise(problem, points, 0.0)[0]
    if not np.isfinite(best.log_density):
        raise InputError(_not_finite(problem, points[0]))
    # The scale of a distant start is poor: it is taken anew at the maximum, and once more at the mode.
    summit = best.vector[None]
    gaussian = laplace(problem, maximise(problem, summit, 1.0, rescale(problem, summit, 1.0, best.scaling[None]))[0])
    proposals = first = propose(problem, gaussian, key, draws)
    for round_key in jax.random.split(key, ROUNDS):
        if not GOOD <= proposals.k_hat < np.inf:
            break
        again = propose(problem, matched(proposals), round_key, draws)
        proposals = min(proposals, again, key=lambda p: p.k_hat)
    return Peak(
        best={name: value[0, 0] for name, value in constrained(problem, best.vector[None, None]).items()},
        log_posterior=best.log_density,
        status=best.status,
        gaussian=gaussian,
        k_hat=first.k_hat,
        proposals=proposals,
    )


def constrained(problem: Problem, vectors: Any) -> dict[str, np.ndarray]:
    """Parameters of unconstrained vectors (chains, draws, size)."""
    values = _constrain_all(problem.sites, jnp.asarray(vectors))
    return {name: np.asarray(value) for name, value in values.items()}


@jax.jit
def _constrain_all(sites: dict[str, Any], vectors: jax.Array) -> dict[str, jax.Array]:
    return jax.vmap(jax.vmap(lambda vector: constrain(sites, vector)[0]))(vectors)


def _cheapest(peak: Peak) -> tuple[str, str]:
    """The cheapest sampler that the quality of the Laplace approximation allows, and the sentence that says so."""
    k_hat = peak.proposals.k_hat
    method, limit = ("laplace", "below") if k_hat < TRUSTED else ("nuts", "not below")
    moments = "" if k_hat == peak.k_hat else f", with matched moments {k_hat:.2f}"
    why = f"the Laplace approximation has k-hat {peak.k_hat:.2f}{moments} ({limit} {TRUSTED})"
    return method, f"{method.upper()} chosen: {why}."


def _settings(method: str, chains: int, draws: int, warmup: int | None, peak: Peak) -> Settings:
    whitened = peak.proposals.k_hat < TRUSTED
    steps = warmup if warmup is not None else 50 if method == "hmc" else 100 if whitened else 300
    return Settings(
        algorithm=method.upper(),
        chains=chains,
        warmup=-(-steps // CHUNK) * CHUNK,
        draws=-(-draws // CHUNK) * CHUNK,
        adapt_mass=method == "nuts" and not whitened,
    )


def _peak_findings(peak: Peak) -> list[Finding]:
    found = []
    if peak.status != Status.CONVERGED:
        found.append(
            Finding(
                "warning",
                f"The maximum was not reached ({peak.status.name.lower()}); start nearer to it by narrower priors.",
            )
        )
    if peak.k_hat >= TRUSTED:
        found.append(
            Finding(
                "info",
                f"The posterior is not close to Gaussian (k-hat {peak.k_hat:.2f}); do not use Laplace's evidence.",
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
