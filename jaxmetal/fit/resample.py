"""After a fit: what it would have found with its model sampled twice as finely, to first order.

With dm the change of the predicted data at the mode when the scene is sampled twice as finely, data d - dm ask of the
model as it is what d ask of the finer one. The gradient of the log density at the mode changes by dg, and the mode by
C dg, C the covariance of the draws: one more forward program at one point, and nothing is fitted again. Whatever the
scene is made of is covered, functions of one's own among it. What a tabulated PSF leaves out is not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fit import evaluate
from jaxmetal.fit.method import Solution
from jaxmetal.fit.problem import Problem, parts, priors_of
from jaxmetal.model import SCENE
from jaxmetal.observation import Plan
from jaxmetal.prepared import predictions
from jaxmetal.prior import fill

WORTH = 0.1
"""Shift, in standard deviations of a parameter, from which it is worth a warning."""

Changes = Mapping[str, np.ndarray]
"""Observation -> change of its predicted data, 0 where they are not used."""


def resampled(
    trees: Sequence[Mapping[str, Any]],
    plans: Sequence[Mapping[str, Any]],
    problems: Problem,
    solutions: Sequence[Solution | InputError],
) -> list[Solution | InputError]:
    """Solutions that know by how much each parameter would move if it were sampled twice as finely.

    Args:
        trees: scene and observations of each problem, with distributions in the places of parameters.
        plans: of each.
        problems: see `fit.problem.stack`.
        solutions: of each; those that failed are returned as they are.
    """
    found = {i: one for i, one in enumerate(solutions) if isinstance(one, Solution)}
    if not found:
        return list(solutions)
    changes = {i: changed(fill(trees[i], one.peak.best), plans[i]) for i, one in found.items()}
    modes = np.stack([one.peak.gaussian.mode for one in found.values()])
    pulls = [evaluate.gradients(stacked, list(found), modes)[1] for stacked in (problems, _moved(problems, changes))]
    moves = dict(zip(found, pulls[1] - pulls[0], strict=True))
    return [
        _told(one, _shifts(one, moves[i], parts(priors_of(problems, i)))) if isinstance(one, Solution) else one
        for i, one in enumerate(solutions)
    ]


def changed(filled: Mapping[str, Any], plans: Mapping[str, Any]) -> Changes:
    """How predicted data change when the scene is sampled twice as finely.

    Args:
        filled: scene and observations, every leaf a number.
        plans: of the observations; those of other kinds than through a telescope are taken as exact.
    """
    usual = {name: plan for name, plan in plans.items() if isinstance(plan, Plan)}
    observed = {name: filled[name] for name in usual}
    seen, finer = (
        predictions(observed, filled[SCENE], some)
        for some in (usual, {name: plan.finer() for name, plan in usual.items()})
    )
    return {
        name: np.where(
            filled[name].used, np.nan_to_num(np.asarray(finer[name].value) - np.asarray(seen[name].value)), 0.0
        )
        for name in usual
    }


def _moved(problems: Problem, changes: Mapping[int, Changes]) -> Problem:
    """The stack with data that ask of the models as they are what those that there are ask of the finer ones."""
    skeleton = dict(problems.skeleton)
    for name in next(iter(changes.values())):
        data = np.array(skeleton[name].data)
        for i, change in changes.items():
            data[i] -= change[name]
        skeleton[name] = dataclasses.replace(skeleton[name], data=jnp.asarray(data))
    return dataclasses.replace(problems, skeleton=skeleton)


def _shifts(solution: Solution, pull: np.ndarray, where: Mapping[str, slice]) -> dict[str, float]:
    """Parameter -> the largest move of one of its numbers, in standard deviations."""
    if solution.sampler is None:
        factor = solution.peak.gaussian.factor
        covariance = factor @ factor.T
    else:
        vectors = solution.sampler.vectors
        covariance = np.atleast_2d(np.cov(vectors.reshape(-1, vectors.shape[-1]), rowvar=False))
    sd = np.sqrt(np.diag(covariance))
    moved = np.abs(covariance @ pull) / np.where(sd > 0.0, sd, 1.0)
    return {name: float(np.max(moved[part], initial=0.0)) for name, part in where.items()}


def _told(solution: Solution, shifts: dict[str, float]) -> Solution:
    name = max(shifts, key=lambda one: shifts[one])
    if not shifts[name] > WORTH:
        return solution._replace(resampled=shifts)
    text = (
        f"Sampled twice as finely, the model would move '{name}' by {shifts[name]:.2g} standard deviations; ask for "
        "more samples per pixel (`sampling`)."
    )
    return solution._replace(resampled=shifts, findings=[*solution.findings, Finding("warning", text)])
