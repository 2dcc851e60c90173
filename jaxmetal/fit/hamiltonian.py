"""NUTS and HMC, as methods, in the space that the Laplace approximation or proposals whiten."""

from __future__ import annotations

import numpy as np

from jaxmetal.chains import CHUNK, Settings
from jaxmetal.edge.findings import Finding
from jaxmetal.fit.chains import run
from jaxmetal.fit.following import following
from jaxmetal.fit.method import Solution, Solutions, Stage, drawn
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.weigh import integrated, judged, worth_judging

WHITE = 0.5
"""Largest k-hat at which the Laplace approximation is trusted to whiten the space of NUTS."""


def nuts(stage: Stage, found: Solutions) -> Solutions:
    """The method: trees of leapfrog steps, which turn round where the posterior does."""
    return turned(stage, _judged(stage, found))


def hmc(stage: Stage, found: Solutions) -> Solutions:
    """The method: few leapfrog steps of a fixed length."""
    return _sampled(stage, {i: (one, _few(stage)) for i, one in _judged(stage, found).items()})


def turned(stage: Stage, found: Solutions) -> Solutions:
    """By NUTS, where k-hat is known or cannot be."""
    named = {i: one._replace(method="nuts") for i, one in found.items()}
    return _sampled(stage, {i: (one, _trees(stage, one)) for i, one in named.items()})


def _judged(stage: Stage, found: Solutions) -> Solutions:
    return integrated(*judged(stage, found)) if worth_judging(found) else found


def _sampled(stage: Stage, planned: dict[int, tuple[Solution, Settings]]) -> Solutions:
    """Those with the same settings share a program."""
    found: Solutions = {}
    for settings in {settings for _, settings in planned.values()}:
        some = {i: one for i, (one, own) in planned.items() if own == settings}
        around = following(stage.problems, list(some), [one.peak.gaussian for one in some.values()])
        spaces = [one.space or space for one, space in zip(some.values(), around, strict=True)]
        seeds = [branch(stage.seeds[i], 3) for i in some]
        chains = run(stage.problems, list(some), spaces, seeds, settings, stage.progress, stage.cut_short, stage.keep)
        found |= {i: _cut_short(one, settings.draws) for i, one in drawn(stage, some, chains).items()}
    return {i: found[i] for i in planned}


def _cut_short(solution: Solution, draws: int) -> Solution:
    """With a finding where there are fewer draws than there were to be."""
    assert solution.sampler is not None
    done = solution.sampler.accept.shape[1]
    if done >= draws:
        return solution
    finding = Finding("warning", f"Stopped by hand after {done} of {draws} draws of each chain.")
    return solution._replace(findings=[*solution.findings, finding], stopped=True)


def _trees(stage: Stage, solution: Solution) -> Settings:
    """Where the Laplace approximation whitens badly, NUTS takes its time: its own mass matrix, and small steps.

    Where proposals know the covariance of the posterior, small steps are enough.
    Among very many numbers nobody can tell, and too few draws of the warm-up are at hand for a dense matrix: a diagonal
    one mends what the curvature at the mode misjudges.
    """
    if np.isnan(solution.k_hat):
        return _settings(stage, "NUTS", 300, adapt_mass=True, usual=0.8)._replace(dense=False)
    careful = solution.k_hat >= WHITE
    if careful and solution.space is not None:
        return _settings(stage, "NUTS", 150, adapt_mass=False, usual=0.95)
    return _settings(stage, "NUTS", 300 if careful else 100, adapt_mass=careful, usual=0.95 if careful else 0.8)


def _few(stage: Stage) -> Settings:
    return _settings(stage, "HMC", 50, adapt_mass=False, usual=0.8)


def _settings(stage: Stage, algorithm: str, steps: int, *, adapt_mass: bool, usual: float) -> Settings:
    options = stage.options
    warmup = steps if options.warmup is None else options.warmup
    return Settings(
        algorithm=algorithm,
        chains=options.chains,
        warmup=-(-warmup // CHUNK) * CHUNK,
        draws=-(-options.draws // CHUNK) * CHUNK,
        adapt_mass=adapt_mass,
        target_accept=options.target_accept or usual,
    )
