"""Where the optimiser starts: about the middle of the prior, or where a user wants it to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import SeedSequence
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.fit import evaluate
from jaxmetal.fit.optimum import rehearse
from jaxmetal.fit.problem import Problem, unconstrain
from jaxmetal.fit.seeds import key_data
from jaxmetal.machine import program
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.prior import median

FARTHEST = 5000.0
"""Log density by which the prior may be lower at a start than at its median: a hundred standard deviations."""


class Starts(NamedTuple):
    """Where the optimiser begins.

    Attributes:
        which: problem of each start, shape (problems * count,).
        points: unconstrained, shape (problems * count, size).
        leaders: of each problem, the start where its density is largest.
    """

    which: np.ndarray
    points: np.ndarray
    leaders: np.ndarray


def starts(
    problems: Problem,
    seeds: Sequence[SeedSequence],
    count: int,
    given: Mapping[str, Any] | None = None,
    candidates: int = 24,
) -> Starts:
    """For each problem the prior's median (or what is given), and of some draws about it the best and those elsewhere.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        count: starts of each problem.
        given: parameter name -> where to begin, problems in front; NaN for the median.
        candidates: draws of each problem.
    """
    total = len(jax.tree.leaves(problems)[0])
    index = np.minimum(np.arange(total), len(seeds) - 1)
    keys = np.stack([key_data(seed, max(candidates, count)) for seed in seeds])[index]
    known = {name: values[index] for name, values in (given or {}).items()}
    # The optimiser's programs are compiled while the starts are weighed.
    with ThreadPoolExecutor(2) as aside:
        ahead = [aside.submit(one) for one in rehearse(problems, _around.eval_shape(problems.priors, known, keys))]
        points = np.asarray(_around(problems.priors, known, keys))[: len(seeds)]
        which = np.repeat(np.arange(len(points)), points.shape[1])
        densities = evaluate.values(problems, which, points.reshape(len(which), -1), 0.0).reshape(points.shape[:2])
        for one in ahead:
            one.result()
    densities = np.nan_to_num(densities, nan=-np.inf)
    # The first is among the starts whatever its density.
    ranked = np.insert(densities[:, 1:], 0, np.inf, axis=1)
    order = np.stack([_promising(*one)[:count] for one in zip(points, ranked, strict=True)])
    chosen = np.take_along_axis(points, order[:, :, None], axis=1)
    leaders = np.argmax(np.take_along_axis(densities, order, axis=1), axis=1) + count * np.arange(len(points))
    return Starts(np.repeat(np.arange(len(points)), count), chosen.reshape(-1, points.shape[2]), leaders)


def _promising(points: np.ndarray, densities: np.ndarray) -> np.ndarray:
    """The order in which points (count, size) are climbed from: the two highest, then those far from any higher one.

    What a point promises is its rank in height times its distance to the nearest higher one: many are high where the
    prior is dense, and would all climb the same maximum (density peaks: Rodriguez & Laio 2014, Science 344, 1492).
    """
    order = np.argsort(-densities, kind="stable")
    placed = points[order] / np.maximum(np.std(points, axis=0), 1e-300)
    gaps = np.linalg.norm(placed[:, None] - placed[None], axis=2)
    nearest = np.array([np.inf, np.inf, *(gaps[k, :k].min() for k in range(2, len(order)))])
    return order[np.argsort(-np.arange(len(order), 0, -1) * nearest, kind="stable")]


def require_possible(sites: Mapping[str, Distribution], start: Mapping[str, Any]) -> None:
    """Refuses a start that no draw of the prior could have.

    Args:
        sites: free parameters and their priors.
        start: parameter name -> value.

    Raises:
        InputError: if a name is not free, or a value lies outside its prior.
    """
    for name, value in start.items():
        if name not in sites:
            raise InputError(
                f"The start names '{name}', which is not free; the free parameters are {', '.join(sites)}."
            )
        with np.errstate(all="ignore"):
            inside = np.all(np.asarray(sites[name].support(jnp.asarray(value, float))))
        if not inside or np.shape(value) != sites[name].shape():
            raise InputError(
                f"The start of '{name}' lies outside its prior, {value} is not within {_support(sites[name])}; "
                "move it inside."
            )
        with np.errstate(all="ignore"):
            prior, middle = sites[name], np.asarray(median(sites[name]))
            below = np.asarray(prior.log_prob(jnp.asarray(middle)) - prior.log_prob(jnp.asarray(value, float)))
        if np.any(below > FARTHEST):
            raise InputError(
                f"The start of '{name}' lies where its prior has no weight, {value} with the median at {middle}; move "
                "it nearer, or widen the prior."
            )


def _support(prior: Distribution) -> str:
    low, high = (getattr(prior.support, f"{end}_bound", None) for end in ("lower", "upper"))
    if low is None and high is None:
        return f"{type(prior).__name__} of shape {prior.shape()}"
    return f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"


@program()
@partial(jax.vmap, in_axes=(0, 0, 0))
def _around(priors: Mapping[str, Packed], given: Mapping[str, Any], keys: jax.Array) -> jax.Array:
    """A centre, and points on the way from it to draws of the prior, most of them short of it.

    The far corners of wide priors are poor starts, but other maxima may lie there.
    """
    sites = unpacked(priors)
    centre = {name: median(prior) for name, prior in sites.items()}
    known = {name: jnp.where(jnp.isnan(value), centre[name], value) for name, value in given.items()}
    middle = unconstrain(sites, {**centre, **known})

    def between(data: jax.Array, part: jax.Array) -> jax.Array:
        key = jax.random.wrap_key_data(data)
        drawn = {name: prior.sample(jax.random.fold_in(key, i)) for i, (name, prior) in enumerate(sites.items())}
        return middle + part * (unconstrain(sites, drawn) - middle)

    parts = jnp.linspace(0.25, 1.0, len(keys), dtype=middle.dtype)
    return jnp.concatenate([middle[None], jax.vmap(between)(keys, parts)])
