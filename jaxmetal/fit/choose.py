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
from jaxmetal.fit.laplace import Laplace, Proposals, laplace, propose, refine
from jaxmetal.fit.metropolis import walk
from jaxmetal.fit.optimum import Status, maximise, rescale, starts
from jaxmetal.fit.problem import Problem, constrain, make
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.posterior import Posterior

METHODS = ("auto", "map", "laplace", "hmc", "nuts")
TRUSTED = 0.7
"""Largest Pareto k-hat at which draws from the Laplace approximation are corrected one by one."""
WHITE = 0.5
"""Largest k-hat at which the Laplace approximation is trusted to whiten the space of NUTS."""
CHECKED = 500
"""Proposals that judge the Laplace approximation where it does not sample."""


class Peak(NamedTuple):
    """The maximum of the posterior and the Gaussian around it.

    Attributes:
        best: parameters at the maximum.
        log_posterior: there.
        status: of the optimiser.
        gaussian: the Laplace approximation.
        proposals: draws from it, and their k-hat.
    """

    best: dict[str, np.ndarray]
    log_posterior: float
    status: Status
    gaussian: Laplace
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
    NUTS is run elsewhere, and after all if the corrected chains do not converge. The posterior's `decisions` tell
    which and why.

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
    keys = jax.random.split(jax.random.key(seed), 4)
    problem = make(scene, observations, sampling)
    clock.mark("prepare")
    proposed = chains * draws if method in ("auto", "laplace") else CHECKED
    peak = find_peak(problem, keys[0], start_count, proposed, start)
    clock.mark("optimise")
    findings = [*prior_warnings(problem.sites), *_peak_findings(peak)]
    decisions = [f"{method.upper()} as asked."]
    automatic, proposals = method == "auto", peak.proposals
    if method in ("auto", "laplace"):
        proposals = refine(problem, proposals, keys[1])
    if automatic:
        method, why = _cheapest(peak.proposals, proposals)
        decisions = [why]
    sampler: Chains | None = None
    values = {name: np.asarray(value)[None, None] for name, value in peak.best.items()}
    if method == "laplace":
        sampler = walk(proposals, keys[2], chains, draws)
        values = unwrap(constrained(problem, sampler.vectors), peak.best)
        if automatic and not converged(values, sampler):
            decisions.append("NUTS run as well: the corrected draws had not converged (R-hat or effective samples).")
            method = "nuts"
    if method in ("hmc", "nuts"):
        settings = _settings(method, chains, draws, warmup, peak.proposals.k_hat)
        sampler = run(problem, peak.gaussian, keys[3], settings, progress)
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
        k_hat=peak.proposals.k_hat,
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
    return Peak(
        best={name: value[0, 0] for name, value in constrained(problem, best.vector[None, None]).items()},
        log_posterior=best.log_density,
        status=best.status,
        gaussian=gaussian,
        proposals=propose(problem, gaussian, key, draws),
    )


def constrained(problem: Problem, vectors: Any) -> dict[str, np.ndarray]:
    """Parameters of unconstrained vectors (chains, draws, size)."""
    values = _constrain_all(problem.sites, jnp.asarray(vectors))
    return {name: np.asarray(value) for name, value in values.items()}


@jax.jit
def _constrain_all(sites: dict[str, Any], vectors: jax.Array) -> dict[str, jax.Array]:
    return jax.vmap(jax.vmap(lambda vector: constrain(sites, vector)[0]))(vectors)


def _cheapest(first: Proposals, refined: Proposals) -> tuple[str, str]:
    """The cheapest sampler that the quality of the Laplace approximation allows, and the sentence that says so."""
    method, limit = ("laplace", "below") if refined.k_hat < TRUSTED else ("nuts", "not below")
    moments = "" if refined is first else f", with corrected moments {refined.k_hat:.2f}"
    why = f"the Laplace approximation has k-hat {first.k_hat:.2f}{moments} ({limit} {TRUSTED})"
    return method, f"{method.upper()} chosen: {why}."


def _settings(method: str, chains: int, draws: int, warmup: int | None, k_hat: float) -> Settings:
    """Where the Laplace approximation whitens badly, NUTS takes its time: its own mass matrix, and small steps."""
    careful = method == "nuts" and k_hat >= WHITE
    steps = warmup if warmup is not None else 50 if method == "hmc" else 300 if careful else 100
    return Settings(
        algorithm=method.upper(),
        chains=chains,
        warmup=-(-steps // CHUNK) * CHUNK,
        draws=-(-draws // CHUNK) * CHUNK,
        adapt_mass=careful,
        target_accept=0.95 if careful else 0.8,
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
    k_hat = peak.proposals.k_hat
    if k_hat >= TRUSTED:
        found.append(
            Finding(
                "info", f"The posterior is not close to Gaussian (k-hat {k_hat:.2f}); do not use Laplace's evidence."
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
