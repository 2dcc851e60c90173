"""Maxima of the posterior: L-BFGS from several starts, in coordinates scaled by the curvature at each start."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxmetal.fit.problem import Problem, log_density, unconstrain
from jaxmetal.fit.start import require_possible
from jaxmetal.prior import median

BLOCK = 25
"""Points whose density is computed in one call."""

STEPS = 60
"""Largest number of L-BFGS steps from one start."""


NEAR = 0.03
"""Gradient in the scaled coordinates (the distance to the maximum in standard deviations) that counts as converged."""


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
    """

    vector: jax.Array
    log_density: jax.Array
    status: jax.Array
    gradient: jax.Array


def starts(
    problem: Problem, key: jax.Array, count: int, given: Mapping[str, Any] | None = None, candidates: int = 24
) -> jax.Array:
    """The prior's median (or what is given) and the best of some draws about it, unconstrained: (count, size)."""
    require_possible(problem.sites, given or {})
    middle = {name: median(prior) for name, prior in problem.sites.items()}
    centre = unconstrain(problem.sites, {**middle, **(given or {})})
    keys = jax.random.split(key, candidates)
    drawn = [
        unconstrain(
            problem.sites,
            {name: prior.sample(jax.random.fold_in(k, i)) for i, (name, prior) in enumerate(problem.sites.items())},
        )
        for k in keys
    ]
    # Half way to the median in unconstrained space: the far corners of wide priors are poor places to start from.
    points = jnp.stack([centre, *(0.5 * (centre + vector) for vector in drawn)])
    densities = log_densities(problem, points, 0.0)
    order = np.argsort(-np.nan_to_num(densities[1:], nan=-np.inf))[: count - 1] + 1
    return points[np.concatenate([[0], order]).astype(int)]


def maximise(problem: Problem, points: jax.Array, jacobian: float) -> list[Optimum]:
    """Runs the optimiser from each start and returns all ends, best first.

    Args:
        problem: see `fit.problem`.
        points: starts, shape (count, size).
        jacobian: see `log_density`.
    """
    weight = jnp.asarray(jacobian, points.dtype)
    ends = []
    for point in points:
        end = _climb(problem, weight, point, scale(curvature(problem, point, weight)))
        if end.status == Status.STEPS_USED_UP:
            # The curvature at a poor start scales poorly near the maximum: once more from where it led.
            end = _climb(problem, weight, end.vector, scale(curvature(problem, end.vector, weight)))
        ends.append(end)
    return sorted(ends, key=lambda end: -np.nan_to_num(float(end.log_density), nan=-np.inf))


def log_densities(problem: Problem, points: jax.Array, jacobian: float = 1.0) -> np.ndarray:
    """`log_density` at many points, a block at a time: one compilation whatever their number."""
    blocks = -(-len(points) // BLOCK)
    padded = jnp.concatenate([points, jnp.broadcast_to(points[:1], (blocks * BLOCK - len(points), points.shape[1]))])
    weight = jnp.asarray(jacobian, points.dtype)
    found = [_block(problem, block, weight) for block in padded.reshape(blocks, BLOCK, -1)]
    return np.concatenate([np.asarray(values) for values in found])[: len(points)]


@jax.jit
def curvature(problem: Problem, vector: jax.Array, jacobian: jax.Array) -> jax.Array:
    """Negative Hessian of the log posterior, shape (size, size)."""
    gradient = jax.grad(lambda v: -log_density(problem, v, jacobian))
    columns = jax.lax.map(lambda e: jax.jvp(gradient, (vector,), (e,))[1], jnp.eye(vector.size, dtype=vector.dtype))
    return 0.5 * (columns + columns.T)


@jax.jit
def scale(hessian: jax.Array) -> jax.Array:
    """A matrix S with S S^T ~ 1 / |hessian|: eigenvalues of the wrong sign are mirrored, tiny ones raised."""
    finite = jnp.all(jnp.isfinite(hessian))
    safe = jnp.where(finite, hessian, jnp.eye(hessian.shape[0], dtype=hessian.dtype))
    values, vectors = jnp.linalg.eigh(safe)
    size = jnp.maximum(jnp.abs(values), jnp.maximum(1e-10 * jnp.max(jnp.abs(values)), 1e-3))
    return vectors / jnp.sqrt(size)


@jax.jit
def _block(problem: Problem, points: jax.Array, jacobian: jax.Array) -> jax.Array:
    return jax.lax.map(lambda point: log_density(problem, point, jacobian), points)


@jax.jit
def _climb(problem: Problem, jacobian: jax.Array, point: jax.Array, scaling: jax.Array) -> Optimum:
    def loss(x: jax.Array) -> jax.Array:
        return -log_density(problem, point + scaling @ x, jacobian)

    solver = optax.lbfgs()
    value_and_grad = optax.value_and_grad_from_state(loss)

    def step(carry: tuple) -> tuple:
        x, state, old, _, _, count = carry
        value, grad = value_and_grad(x, state=state)
        updates, state = solver.update(grad, state, x, value=value, grad=grad, value_fn=loss)
        return optax.apply_updates(x, updates), state, value, old - value, jnp.linalg.norm(grad), count + 1

    def going(carry: tuple) -> jax.Array:
        _, _, _, gain, gradient, count = carry
        return (count < STEPS) & (gradient > tolerance) & (gain > resolution) & jnp.isfinite(gradient)

    tolerance, resolution = (1e-4, 1e-9) if point.dtype == jnp.float64 else (1e-2, 1e-4)
    x, far = jnp.zeros_like(point), jnp.asarray(1e30, point.dtype)
    x, _, _, _, gradient, _ = jax.lax.while_loop(going, step, (x, solver.init(x), far, far, far, 0))
    value = loss(x)
    status = jnp.where(gradient <= NEAR, Status.CONVERGED, Status.STEPS_USED_UP)
    status = jnp.where(jnp.isfinite(value) & jnp.isfinite(gradient), status, Status.NOT_FINITE)
    return Optimum(point + scaling @ x, -value, status, gradient)
