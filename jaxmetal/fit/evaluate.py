"""The density of fits, its gradient, and their parameters at many points: one compiled program each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.fit.problem import Problem, constrain, log_density, pick
from jaxmetal.fit.rows import each

BLOCK = 25
"""Points whose density is computed in one call."""

MANY, TOGETHER = 64, 8
"""Problems in a stack from which gradients are computed so many in one call: a call costs half as much as one."""

GROUP = 200
"""Draws whose parameters are computed in one call."""


def values(problems: Problem, which: Any, points: Any, jacobian: float = 1.0, label: str = "") -> np.ndarray:
    """`log_density` of problem `which[i]` at point i.

    Args:
        problems: see `fit.problem.stack`.
        which: shape (count,).
        points: shape (count, size).
        jacobian: see `log_density`.
        label: of a progress bar, see `rows.each`.
    """
    return each(_value, None, problems, _rows(which, points, jacobian), BLOCK, label)


def gradients(problems: Problem, which: Any, points: Any, jacobian: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """`log_density` and its gradient, as `values`: shapes (count,) and (count, size)."""
    block = TOGETHER if len(jax.tree.leaves(problems)[0]) >= MANY else 1
    return each(_gradient, None, problems, _rows(which, points, jacobian), block)


def parameters(problems: Problem, which: Sequence[int], vectors: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Parameters of each problem's unconstrained vectors, (count, chains, draws, size)."""
    count, chains, draws, size = vectors.shape
    total, groups = chains * draws, -(-chains * draws // GROUP)
    filled = np.pad(vectors.reshape(count, total, size), [(0, 0), (0, groups * GROUP - total), (0, 0)], mode="edge")
    rows = np.repeat(np.asarray(which, np.int32), groups), filled.reshape(count * groups, GROUP, size)
    values = {
        name: value.reshape(count, groups * GROUP, *value.shape[2:])[:, :total]
        for name, value in each(_parameters, None, problems, rows, 1).items()
    }
    return [
        {name: value[i].reshape(chains, draws, *value.shape[2:]) for name, value in values.items()}
        for i in range(count)
    ]


def errors(problems: Problem, which: Sequence[int], modes: Any, factors: Any) -> list[dict[str, np.ndarray]]:
    """Standard deviations of parameters under Gaussians in the unconstrained space, to first order at their modes.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each Gaussian.
        modes: shape (count, size).
        factors: S, whose S S^T is the covariance, shape (count, size, size).
    """
    values = each(_errors, None, problems, (np.asarray(which, np.int32), np.asarray(modes), np.asarray(factors)), 1)
    return [{name: value[i] for name, value in values.items()} for i in range(len(which))]


def _rows(which: Any, points: Any, jacobian: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points = np.asarray(points)
    return np.asarray(which, np.int32), points, np.full(len(points), jacobian, points.dtype)


def _value(_: None, problems: Problem, row: Any) -> jax.Array:
    which, point, jacobian = row
    return log_density(pick(problems, which), point, jacobian)


def _gradient(_: None, problems: Problem, row: Any) -> tuple[jax.Array, jax.Array]:
    which, point, jacobian = row
    problem = pick(problems, which)
    return jax.value_and_grad(lambda x: log_density(problem, x, jacobian))(point)


def _parameters(_: None, problems: Problem, row: Any) -> dict[str, jax.Array]:
    which, vectors = row
    sites = pick(problems, which).sites
    return jax.vmap(lambda vector: constrain(sites, vector)[0])(vectors)


def _errors(_: None, problems: Problem, row: Any) -> dict[str, jax.Array]:
    which, mode, factor = row
    sites = pick(problems, which).sites
    pushed = jax.vmap(lambda move: jax.jvp(lambda at: constrain(sites, at)[0], (mode,), (move,))[1])(factor.T)
    return jax.tree.map(lambda moves: jnp.sqrt(jnp.sum(moves**2, axis=0)), pushed)
