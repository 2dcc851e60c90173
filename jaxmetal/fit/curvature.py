"""How far a fit's numbers may move: scales of the coordinates in which it climbs, judges and samples.

Curvature along every coordinate costs two gradients per number. Up to `SMALL` numbers that is cheap enough for every
start. Beyond, starts are scaled by the widths of the priors, which cost none, and curvature is taken twice only: where
the best start led, and at the mode. It pays there: with 200 numbers data and prior leave curvatures a million times
apart, and 400 gradients spare the thousands in which L-BFGS alone would learn them (`benchmarks/many_parameters.py`).
Beyond `LARGE` numbers it is never taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.fit import evaluate
from jaxmetal.fit.problem import Problem, unconstrain
from jaxmetal.machine import program
from jaxmetal.numerics.packed import Packed, unpacked

SMALL = 40
"""Most free numbers whose curvature is taken at every start, and whose posterior a few thousand proposals can cover."""

LARGE = 1000
"""Most free numbers whose curvature is taken at all."""

DRAWS = 200
"""Draws of the priors that tell their widths."""


def first_scales(problems: Problem, which: np.ndarray, points: np.ndarray, jacobian: float) -> np.ndarray:
    """Matrices S that scale the coordinates about starts: curvature there, or with many numbers the priors' widths.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each start, shape (count,).
        points: starts, shape (count, size).
        jacobian: see `log_density`.

    Returns:
        Shape (count, size, size).
    """
    size = points.shape[1]
    if size <= SMALL:
        return rescale(problems, which, points, jacobian)
    widths = np.asarray(_widths(problems.priors))[which]
    widths = widths / np.sqrt(1.0 + np.asarray(problems.held)[which] * widths**2)
    return widths[:, :, None] * np.eye(size, dtype=points.dtype)


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
        scaling: S known roughly, shape (count, size, size): the differences are taken along its columns. It is what
            is returned with more than `LARGE` numbers.
    """
    count, size = points.shape
    if scaling is not None and size > LARGE:
        return scaling
    step = float(np.finfo(points.dtype).eps) ** (1.0 / 3.0)
    if scaling is None:
        basis = np.maximum(1.0, np.abs(points))[:, :, None] * np.eye(size, dtype=points.dtype)
    else:
        basis, step = scaling, 100.0 * step
    moves = step * np.swapaxes(basis, 1, 2)
    ends = np.stack([points[:, None] + moves, points[:, None] - moves]).reshape(-1, size)
    slopes = evaluate.gradients(problems, np.tile(np.repeat(which, size), 2), ends, jacobian)[1]
    slopes = slopes.reshape(2, count, size, size)
    with np.errstate(invalid="ignore", over="ignore"):  # where a gradient is infinite the curvature is not used
        hessians = (slopes[1] - slopes[0]) @ basis / (2.0 * step)
    finite = np.all(np.isfinite(hessians), axis=(1, 2))[:, None, None]
    safe = np.where(finite, 0.5 * (hessians + np.swapaxes(hessians, 1, 2)), np.eye(size))
    values, vectors = np.linalg.eigh(safe)
    floor = np.maximum(1e-10 * np.max(np.abs(values), axis=1, keepdims=True), 1e-3)
    return (basis @ (vectors / np.sqrt(np.maximum(np.abs(values), floor))[:, None, :])).astype(points.dtype)


@program()
@partial(jax.vmap, in_axes=(0,))
def _widths(priors: Mapping[str, Packed]) -> jax.Array:
    """Half the range of the middle 68 % of each prior, unconstrained: defined for heavy tails as well."""
    sites = unpacked(priors)

    def drawn(key: jax.Array) -> jax.Array:
        values = {name: prior.sample(jax.random.fold_in(key, i)) for i, (name, prior) in enumerate(sites.items())}
        return unconstrain(sites, values)

    vectors = jax.vmap(drawn)(jax.random.split(jax.random.key(0), DRAWS))
    low, high = jnp.quantile(vectors, jnp.array([0.16, 0.84]), axis=0)
    return 0.5 * (high - low)
