"""Maxima of the posterior: L-BFGS from several starts side by side, in coordinates scaled by the curvature there."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.random import SeedSequence

from jaxmetal.fit import evaluate
from jaxmetal.fit.problem import Problem, unconstrain
from jaxmetal.fit.seeds import key_data
from jaxmetal.prior import median

STEPS = 100
"""Largest number of evaluations from one start."""

NEAR = 0.03
"""Gradient in the scaled coordinates (the distance to the maximum in standard deviations) that counts as converged."""

SHORTEST = 1e-8
"""Part of a step below which the search along it is given up."""

FEWEST = 4
"""Least length of the arrays in which searches step side by side."""

LBFGS = optax.scale_by_lbfgs(scale_init_precond=False)
"""In scaled coordinates the unit matrix is the curvature to begin with."""


class Status(enum.IntEnum):
    """How an optimisation ended."""

    CONVERGED = 0
    STEPS_USED_UP = 1
    NOT_FINITE = 2


class Optimum(NamedTuple):
    """A maximum of the posterior.

    Attributes:
        vector: unconstrained position.
        log_density: there.
        status: `Status` code.
        gradient: its norm in the scaled coordinates, about the distance to the maximum in standard deviations.
        scaling: matrix S of the scaled coordinates, S S^T ~ 1 / |hessian| where the climb began.
    """

    vector: np.ndarray
    log_density: float
    status: Status
    gradient: float
    scaling: np.ndarray


class _Search(NamedTuple):
    """Where an optimisation stands, in scaled coordinates; the next evaluation is at x + length direction."""

    x: jax.Array
    loss: jax.Array
    gradient: jax.Array
    direction: jax.Array
    length: jax.Array
    memory: Any
    going: jax.Array


def starts(
    problems: Problem,
    seeds: Sequence[SeedSequence],
    count: int,
    given: Mapping[str, Any] | None = None,
    candidates: int = 24,
) -> tuple[np.ndarray, np.ndarray]:
    """For each problem the prior's median (or what is given) and the best of some draws about it.

    Args:
        problems: see `fit.problem.stack`.
        seeds: of each problem.
        count: starts of each problem.
        given: parameter name -> where to begin, problems in front; NaN for the median.
        candidates: draws of each problem.

    Returns:
        The problem of each start, shape (problems * count,), and the starts, unconstrained, (problems * count, size).
    """
    total = len(jax.tree.leaves(problems)[0])
    index = np.minimum(np.arange(total), len(seeds) - 1)
    keys = np.stack([key_data(seed, candidates) for seed in seeds])[index]
    known = {name: values[index] for name, values in (given or {}).items()}
    # The optimiser's programs are compiled while the starts are weighed.
    with ThreadPoolExecutor(2) as aside:
        shape = jax.eval_shape(_around, problems.sites, known, keys)
        ahead = [aside.submit(rehearse, problems, shape) for rehearse in (_rehearse_gradient, _rehearse_step)]
        points = np.asarray(_around(problems.sites, known, keys))[: len(seeds)]
        which = np.repeat(np.arange(len(points)), points.shape[1])
        densities = evaluate.values(problems, which, points.reshape(len(which), -1), 0.0).reshape(points.shape[:2])
        for one in ahead:
            one.result()
    densities[:, 0] = np.inf
    order = np.argsort(-np.nan_to_num(densities, nan=-np.inf), axis=1, kind="stable")[:, :count]
    chosen = np.take_along_axis(points, order[:, :, None], axis=1)
    return np.repeat(np.arange(len(points)), count), chosen.reshape(-1, points.shape[2])


def _rehearse_gradient(problems: Problem, points: jax.ShapeDtypeStruct) -> None:
    """Computes one gradient for nothing but its compiled program."""
    evaluate.gradients(problems, np.zeros(1), np.zeros((1, points.shape[-1]), points.dtype), 0.0)


def _rehearse_step(_: Problem, points: jax.ShapeDtypeStruct) -> None:
    nowhere = np.zeros((FEWEST, points.shape[-1]), points.dtype)
    _step(_begin(nowhere), nowhere[:, 0], nowhere)


def maximise(
    problems: Problem, which: np.ndarray, points: np.ndarray, jacobian: float, scaling: np.ndarray | None = None
) -> list[Optimum]:
    """Runs the optimiser from each start.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each start, shape (count,).
        points: starts, shape (count, size).
        jacobian: see `log_density`.
        scaling: of the coordinates, shape (count, size, size), where it is known.

    Returns:
        The end from each start.
    """
    ends = _climb(
        problems, which, points, jacobian, rescale(problems, which, points, jacobian) if scaling is None else scaling
    )
    tired = np.flatnonzero([end.status == Status.STEPS_USED_UP for end in ends])
    if tired.size:
        # The curvature at a poor start scales poorly near the maximum: once more from where it led.
        again = np.stack([ends[i].vector for i in tired])
        scaling = rescale(problems, which[tired], again, jacobian)
        for i, end in zip(tired, _climb(problems, which[tired], again, jacobian, scaling), strict=True):
            ends[i] = end
    return ends


def highest(which: np.ndarray, ends: Sequence[Optimum]) -> list[Optimum]:
    """The best end of each problem, in the order of the problems."""
    best: dict[int, Optimum] = {}
    for i, end in zip(which, ends, strict=True):
        if i not in best or np.nan_to_num(end.log_density, nan=-np.inf) > best[i].log_density:
            best[i] = end
    return [best[i] for i in sorted(best)]


def rescale(
    problems: Problem, which: np.ndarray, points: np.ndarray, jacobian: float, scaling: np.ndarray | None = None
) -> np.ndarray:
    """Matrices S with S S^T ~ 1 / |hessian| at points (count, size), by central differences of the gradient.

    Eigenvalues of the wrong sign are mirrored, tiny ones raised.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each point, shape (count,).
        points: shape (count, size).
        jacobian: see `log_density`.
        scaling: S known roughly, shape (count, size, size): the differences are taken along its columns.
    """
    count, size = points.shape
    step = float(np.finfo(points.dtype).eps) ** (1.0 / 3.0)
    if scaling is None:
        basis = np.maximum(1.0, np.abs(points))[:, :, None] * np.eye(size, dtype=points.dtype)
    else:
        basis, step = scaling, 100.0 * step
    moves = step * np.swapaxes(basis, 1, 2)
    ends = np.stack([points[:, None] + moves, points[:, None] - moves]).reshape(-1, size)
    slopes = evaluate.gradients(problems, np.tile(np.repeat(which, size), 2), ends, jacobian)[1]
    slopes = slopes.reshape(2, count, size, size)
    hessians = (slopes[1] - slopes[0]) @ basis / (2.0 * step)
    finite = np.all(np.isfinite(hessians), axis=(1, 2))[:, None, None]
    safe = np.where(finite, 0.5 * (hessians + np.swapaxes(hessians, 1, 2)), np.eye(size))
    values, vectors = np.linalg.eigh(safe)
    floor = np.maximum(1e-10 * np.max(np.abs(values), axis=1, keepdims=True), 1e-3)
    return (basis @ (vectors / np.sqrt(np.maximum(np.abs(values), floor))[:, None, :])).astype(points.dtype)


def _climb(
    problems: Problem, which: np.ndarray, points: np.ndarray, jacobian: float, scaling: np.ndarray
) -> list[Optimum]:
    count = len(points)
    # Searches step side by side, in arrays of few lengths; only those that are not there yet are evaluated.
    length = max(FEWEST, 1 << (count - 1).bit_length())
    search = _begin(np.zeros((length, points.shape[1]), points.dtype))
    going = np.arange(length) < count
    densities, gradients = np.zeros(length, points.dtype), np.zeros((length, points.shape[1]), points.dtype)
    for _ in range(STEPS):
        rows = np.flatnonzero(going)
        if not rows.size:
            break
        ahead = np.asarray(search.x + search.length[:, None] * search.direction)[rows]
        at = points[rows] + np.einsum("nij,nj->ni", scaling[rows], ahead)
        found, slopes = evaluate.gradients(problems, which[rows], at, jacobian)
        densities[rows], gradients[rows] = found, np.einsum("nij,ni->nj", scaling[rows], slopes)
        search = _step(search, -densities, -gradients)
        going &= np.asarray(search.going)
    vectors = points + np.einsum("nij,nj->ni", scaling, np.asarray(search.x)[:count])
    sizes = np.linalg.norm(np.asarray(search.gradient), axis=1)[:count]
    losses = np.asarray(search.loss)[:count]
    return [
        Optimum(vector, -float(loss), _status(float(loss), float(size)), float(size), matrix)
        for vector, loss, size, matrix in zip(vectors, losses, sizes, scaling, strict=True)
    ]


def _status(loss: float, gradient: float) -> Status:
    if not np.isfinite(loss + gradient):
        return Status.NOT_FINITE
    return Status.CONVERGED if gradient <= NEAR else Status.STEPS_USED_UP


@jax.jit
@partial(jax.vmap, in_axes=(0, 0, 0))
def _around(sites: Any, given: Mapping[str, Any], keys: jax.Array) -> jax.Array:
    """A centre, and points half way from it to draws of the prior: the far corners of wide priors are poor starts."""
    centre = {name: median(prior) for name, prior in sites.items()}
    known = {name: jnp.where(jnp.isnan(value), centre[name], value) for name, value in given.items()}
    middle = unconstrain(sites, {**centre, **known})

    def between(data: jax.Array) -> jax.Array:
        key = jax.random.wrap_key_data(data)
        drawn = {name: prior.sample(jax.random.fold_in(key, i)) for i, (name, prior) in enumerate(sites.items())}
        return 0.5 * (middle + unconstrain(sites, drawn))

    return jnp.concatenate([middle[None], jax.vmap(between)(keys)])


@jax.jit
@jax.vmap
def _begin(x: jax.Array) -> _Search:
    """Nothing is known: the first evaluation is at x itself."""
    still, nothing = jnp.zeros_like(x), jnp.zeros((), x.dtype)
    return _Search(x, nothing + jnp.inf, still, still, nothing, LBFGS.init(x), jnp.array(True))


@jax.jit
@jax.vmap
def _step(search: _Search, loss: jax.Array, gradient: jax.Array) -> _Search:
    """Takes in the evaluation: the step is accepted (Armijo's rule) and a new one planned, or it is shortened."""
    expected = search.length * jnp.vdot(search.gradient, search.direction)
    good = jnp.isfinite(loss) & jnp.all(jnp.isfinite(gradient)) & (loss <= search.loss + 1e-4 * expected)

    x = search.x + search.length * search.direction
    bent = jnp.vdot(gradient - search.gradient, x - search.x) > 0.0
    # Where the surface curves the wrong way, what was learned of its curvature is dropped.
    memory = jax.tree.map(lambda new, old: jnp.where(bent, old, new), LBFGS.init(x), search.memory)
    down, memory = LBFGS.update(gradient, memory, x)
    tolerance, resolution = (1e-4, 1e-9) if x.dtype == jnp.float64 else (1e-2, 1e-4)
    going = (jnp.linalg.norm(gradient) > tolerance) & (search.loss - loss > resolution)
    forward = _Search(x, loss, gradient, -down, jnp.ones_like(loss), memory, going)

    short = -0.5 * expected * search.length / (loss - search.loss - expected)
    length = jnp.clip(jnp.nan_to_num(short), 0.1 * search.length, 0.5 * search.length)
    back = search._replace(length=length, going=length > SHORTEST)
    moved = jax.tree.map(lambda a, b: jnp.where(good, a, b), forward, back)
    return jax.tree.map(lambda a, b: jnp.where(search.going, a, b), moved, search)
