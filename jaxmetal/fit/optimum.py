"""Maxima of the posterior: L-BFGS from several starts side by side, in coordinates scaled by the curvature there."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.edge.progress import bar
from jaxmetal.fit import evaluate
from jaxmetal.fit.curvature import SMALL, first_scales, rescale
from jaxmetal.fit.problem import Problem, log_density, pick
from jaxmetal.fit.rows import PATIENCE, each, in_lock_step
from jaxmetal.fit.search import Search, advanced, begin, step

STEPS = 100
"""Largest number of evaluations of one climb."""

ROUNDS = 3
"""Climbs after the first where there are more than `SMALL` numbers, from the best end of each problem."""

NEAR = 0.03
"""Gradient in the scaled coordinates (the distance to the maximum in standard deviations) that counts as converged."""

ABOVE = 1.0
"""Log density by which a point must exceed a maximum to show it to be none: rounding makes less."""

LAP = 10
"""Evaluations of a climb without a word to the host, where rows are computed in lock-step."""

FEWEST = 4
"""Least length of the arrays in which searches step side by side."""


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


def rehearse(problems: Problem, points: jax.ShapeDtypeStruct) -> list[Callable[[], Any]]:
    """Runs of the optimiser's programs for nothing: called in threads, they compile while other work is done.

    Args:
        problems: see `fit.problem.stack`.
        points: like the starts, (..., size).
    """
    nowhere = np.zeros((FEWEST, points.shape[-1]), points.dtype)
    return [
        lambda: evaluate.gradients(problems, np.zeros(1), nowhere[:1], 0.0),
        lambda: step(begin(nowhere), nowhere[:, 0], nowhere),
    ]


def maximise(
    problems: Problem,
    which: np.ndarray,
    points: np.ndarray,
    jacobian: float,
    scaling: np.ndarray | None = None,
    progress: bool = False,
) -> list[Optimum]:
    """Runs the optimiser from each start; with more than `SMALL` numbers to the end from the most promising one alone.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each start, shape (count,).
        points: starts, shape (count, size).
        jacobian: see `log_density`.
        scaling: of the coordinates, shape (count, size, size), where it is known.
        progress: show how the first climbs go.

    Returns:
        The end from each start.
    """
    first = first_scales(problems, which, points, jacobian) if scaling is None else scaling
    ends = _climb(problems, which, points, jacobian, first, progress)
    many = points.shape[1] > SMALL
    for _ in range(ROUNDS if many else 1):
        tired = [i for i, end in enumerate(ends) if end.status == Status.STEPS_USED_UP]
        if many:
            tired = sorted(set(tired) & set(_leaders(which, ends)))
        if not tired:
            break
        # The curvature at a poor start scales poorly near the maximum: once more from where it led.
        again, known = (np.stack([getattr(ends[i], name) for i in tired]) for name in ("vector", "scaling"))
        scaling = rescale(problems, which[tired], again, jacobian, known if many else None)
        for i, end in zip(tired, _climb(problems, which[tired], again, jacobian, scaling), strict=True):
            ends[i] = end
    return ends


def highest(which: np.ndarray, ends: Sequence[Optimum]) -> list[Optimum]:
    """The best end of each problem, in the order of the problems."""
    return [ends[i] for i in _leaders(which, ends)]


def _leaders(which: np.ndarray, ends: Sequence[Optimum]) -> list[int]:
    """Places of the best ends."""
    best: dict[int, int] = {}
    for i, (problem, end) in enumerate(zip(which, ends, strict=True)):
        if problem not in best or np.nan_to_num(end.log_density, nan=-np.inf) > ends[best[problem]].log_density:
            best[problem] = i
    return [best[problem] for problem in sorted(best)]


def _climb(
    problems: Problem,
    which: np.ndarray,
    points: np.ndarray,
    jacobian: float,
    scaling: np.ndarray,
    progress: bool = False,
) -> list[Optimum]:
    count = len(points)
    # Searches step side by side, in arrays of few lengths; only those that are not there yet are evaluated.
    length = max(FEWEST, 1 << (count - 1).bit_length())
    search = begin(np.zeros((length, points.shape[1]), points.dtype))
    going = np.arange(length) < count
    onwards, turns = (_lapped, STEPS // LAP) if in_lock_step() else (_stepped, STEPS)
    for _ in bar(range(turns), desc="climbing, at most", unit="step", shown=progress, delay=PATIENCE, leave=False):
        rows = np.flatnonzero(going)
        if not rows.size:
            break
        search = onwards(problems, search, rows, (which[rows], points[rows], scaling[rows]), jacobian)
        going &= np.asarray(search.going)
    vectors = points + np.einsum("nij,nj->ni", scaling, np.asarray(search.x)[:count])
    sizes = np.linalg.norm(np.asarray(search.gradient), axis=1)[:count]
    losses = np.asarray(search.loss)[:count]
    return [
        Optimum(vector, -float(loss), _status(float(loss), float(size)), float(size), matrix)
        for vector, loss, size, matrix in zip(vectors, losses, sizes, scaling, strict=True)
    ]


def _stepped(problems: Problem, search: Search, rows: np.ndarray, of_rows: Any, jacobian: float) -> Search:
    """Searches after one evaluation; `of_rows` are the problem, the origin and the scaling of those still going."""
    which, origin, scaling = of_rows
    x, length, direction = (np.asarray(one)[rows] for one in (search.x, search.length, search.direction))
    ahead = x + length[:, None] * direction
    found, slopes = evaluate.gradients(problems, which, origin + np.einsum("nij,nj->ni", scaling, ahead), jacobian)
    losses, gradients = np.zeros(search.loss.shape, ahead.dtype), np.zeros(search.x.shape, ahead.dtype)
    losses[rows], gradients[rows] = -found, -np.einsum("nij,ni->nj", scaling, slopes)
    return step(search, losses, gradients)


def _lapped(problems: Problem, search: Search, rows: np.ndarray, of_rows: Any, jacobian: float) -> Search:
    """Searches after `LAP` evaluations, see `_stepped`."""
    whole: Search = jax.tree.map(np.array, search)
    some = jax.tree.map(lambda leaf: leaf[rows], whole)
    which, origin, scaling = of_rows
    given = which.astype(np.int32), origin, scaling, np.full(len(rows), jacobian, origin.dtype), some
    for leaf, new in zip(*map(jax.tree.leaves, (whole, each(_lap, None, problems, given, 1))), strict=True):
        leaf[rows] = new
    return whole


def _lap(_: None, problems: Problem, row: Any) -> Search:
    which, origin, scaling, jacobian, search = row
    problem = pick(problems, which)

    def one(_: int, search: Search) -> Search:
        at = origin + scaling @ (search.x + search.length * search.direction)
        density, slope = jax.value_and_grad(lambda x: log_density(problem, x, jacobian))(at)
        return advanced(search, -density, -(slope @ scaling))

    lapped: Search = jax.lax.fori_loop(0, LAP, one, search)
    return lapped


def _status(loss: float, gradient: float) -> Status:
    if not np.isfinite(loss + gradient):
        return Status.NOT_FINITE
    return Status.CONVERGED if gradient <= NEAR else Status.STEPS_USED_UP
