"""Angles whose prior is uniform all round: circles, which have no edge.

A prior that is uniform over whole periods says nothing about where its interval is cut. A fit cuts it opposite to the
best value that it knows, so that a mode at an end of the prior, 130 degrees of -50 to 130, is one mode in its middle.
Priors over a part of a period stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, Uniform

from jaxmetal.fit.coordinates import coordinates
from jaxmetal.fit.problem import Problem, parts, priors_of
from jaxmetal.fit.rows import place
from jaxmetal.machine import program
from jaxmetal.meaning import meanings
from jaxmetal.meaning.circles import Periods, all_round, same_turn
from jaxmetal.numerics.packed import Packed

QUARTER = 0.67
"""Standard normal numbers within it are half of all."""


def periods(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The angles of a scene and its observations."""
    return {name: found.period for name, found in meanings(tree).items() if found.period is not None}


def as_sampled(
    values: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray], sites: Mapping[str, Distribution], angles: Periods
) -> dict[str, np.ndarray]:
    """Draws as they are kept: the sampler's, on circles on the turn of the best value, wherever they were cut."""
    return {name: same_turn(drawn, best[name], sites[name], angles.get(name)) for name, drawn in values.items()}


class Recut(NamedTuple):
    """Problems whose circles are cut elsewhere.

    Attributes:
        problems: the same, with other priors.
        points: the same places in their vectors.
        moved: whether any angle of a point stood in another quarter of its circle than opposite to the cut.
    """

    problems: Problem
    points: np.ndarray
    moved: np.ndarray


def recut(problems: Problem, centres: np.ndarray, which: np.ndarray, points: np.ndarray) -> Recut:
    """Cuts circles opposite to where given vectors have their angles.

    Args:
        problems: see `fit.problem.stack`.
        centres: vectors of the first problems of the stack, shape (n, size); those after them are cut as the last.
        which: problem of each point, shape (count,).
        points: vectors, shape (count, size).
    """
    turning = {name: period for name, period in periods(problems.skeleton).items() if _uniform(problems, name)}
    if not turning:
        return Recut(problems, points, np.zeros(len(points), bool))
    old = {name: problems.priors[name] for name in turning}
    total = len(jax.tree.leaves(old)[0])
    places = parts(priors_of(problems, 0))
    spots = {name: places[name] for name in turning}
    angles = {name: centres[np.minimum(np.arange(total), len(centres) - 1), spot] for name, spot in spots.items()}
    cut = place({name: _cut(old[name], np.asarray(turning[name]), angles[name]) for name in turning})
    ends, moved = points.copy(), np.zeros(len(points), bool)
    for name, spot in spots.items():
        before, after = (jax.tree.map(lambda leaf: np.asarray(leaf)[which], some[name]) for some in (old, cut))
        ends[:, spot] = _carried(before, after, np.asarray(turning[name]), points[:, spot])
        moved |= np.any(np.abs(ends[:, spot] - points[:, spot]) > QUARTER, axis=1)
    return Recut(dataclasses.replace(problems, priors={**problems.priors, **cut}), ends, moved)


def _uniform(problems: Problem, name: str) -> bool:
    return problems.priors[name].kind is Uniform


@program()
@partial(jax.vmap, in_axes=(0, None, 0))
def _cut(packed: Packed, period: jax.Array, numbers: jax.Array) -> Packed:
    """The prior with its cut opposite to an angle, if it goes all round and the angle is one."""
    prior: Any = packed.unpack()
    angle = coordinates(prior).value(numbers.reshape(prior.shape()))
    free = all_round(prior.low, prior.high, period) & jnp.isfinite(angle)
    low, high = jnp.where(free, angle - 0.5 * period, prior.low), jnp.where(free, angle + 0.5 * period, prior.high)
    return Packed.of(Uniform(low, high))


@program()
@partial(jax.vmap, in_axes=(0, 0, None, 0))
def _carried(before: Packed, after: Packed, period: jax.Array, numbers: jax.Array) -> jax.Array:
    """Numbers of the same angles under another cut; as they are where there is none."""
    old, new = (packed.unpack() for packed in (before, after))
    angle = coordinates(old).value(numbers.reshape(old.shape()))
    found = coordinates(new).position(new.low + jnp.mod(angle - new.low, period))
    return jnp.where(all_round(new.low, new.high, period), found, numbers.reshape(old.shape())).ravel()
