"""The density of a fit, and its gradient, at many points: one compiled program each, whatever the number of points."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.fit.problem import Problem, log_density

BLOCK = 25
"""Points whose density is computed in one call."""

GRADIENTS = 4
"""Points whose gradient is computed in one call."""


def values(problem: Problem, points: Any, jacobian: float = 1.0) -> np.ndarray:
    """`log_density` at points of shape (count, size): shape (count,)."""
    found = [_values(problem, block, jacobian) for block in _blocks(filled(points, BLOCK), BLOCK)]
    return np.concatenate([np.asarray(part) for part in found])[: len(points)]


def gradients(problem: Problem, points: Any, jacobian: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """`log_density` and its gradient at points of shape (count, size): shapes (count,) and (count, size)."""
    found = [_gradients(problem, block, jacobian) for block in _blocks(filled(points, GRADIENTS), GRADIENTS)]
    value, gradient = (np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*found, strict=True))
    return value[: len(points)], gradient[: len(points)]


def filled(rows: np.ndarray, length: int) -> np.ndarray:
    """Rows, and copies of the last one up to a multiple of `length`: arrays of few shapes compile few times."""
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % length, axis=0)])


def _blocks(rows: np.ndarray, length: int) -> np.ndarray:
    return rows.reshape(-1, length, *rows.shape[1:])


@jax.jit
def _values(problem: Problem, points: jax.Array, jacobian: jax.Array) -> jax.Array:
    return jax.lax.map(lambda point: log_density(problem, point, jacobian), points)


@jax.jit
def _gradients(problem: Problem, points: jax.Array, jacobian: jax.Array) -> tuple[jax.Array, jax.Array]:
    density = jax.value_and_grad(lambda point: log_density(problem, point, jnp.asarray(jacobian, points.dtype)))
    return jax.lax.map(density, points)
