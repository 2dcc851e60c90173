"""From a ratio to metallicity: every root of a calibration, branch by branch."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lines.strong_lines import Calibration

SAMPLES, HALVINGS = 400, 50

Curve = Callable[[jax.Array], jax.Array]
"""Z -> log R, a tree: curves of one form share a program."""


def turnovers(calibration: Calibration) -> np.ndarray:
    """Abundances within the valid range where d log R / d Z changes its sign, ascending."""
    low, high = calibration.valid
    z = np.linspace(float(low), float(high), SAMPLES)
    sign = np.sign(np.asarray(_slope(calibration.curve, z)))
    changes = sign[:-1] * sign[1:] < 0
    if not changes.any():
        return np.zeros(0)
    return np.asarray(_level(calibration.curve, z[:-1][changes], z[1:][changes]))


def invert(calibration: Calibration, log_ratio: jax.Array) -> jax.Array:
    """All Z in the valid range with log10 R(Z) = log_ratio.

    Args:
        calibration: the curve.
        log_ratio: log10 R, any shape.

    Returns:
        Shape (branches, *log_ratio.shape), lower metallicities first; NaN where a branch does not reach the ratio.
    """
    bounds = calibration.valid
    edges = np.concatenate([np.asarray(bounds)[:1], turnovers(calibration), np.asarray(bounds)[1:]])
    log_ratio = jnp.asarray(log_ratio)
    return jnp.stack([_root(calibration.curve, *ends, log_ratio) for ends in itertools.pairwise(edges)])


@jax.jit
def _root(curve: Curve, low: float, high: float, log_ratio: jax.Array) -> jax.Array:
    ends = curve(jnp.asarray([low, high]))
    reached = (log_ratio >= ends.min()) & (log_ratio <= ends.max())
    root = _bisect(lambda z: curve(z) - log_ratio, jnp.full(log_ratio.shape, low), jnp.full(log_ratio.shape, high))
    return jnp.where(reached, root, jnp.nan)


@jax.jit
def _slope(curve: Curve, z: jax.Array) -> jax.Array:
    return jax.vmap(jax.grad(curve))(z)


@jax.jit
def _level(curve: Curve, low: jax.Array, high: jax.Array) -> jax.Array:
    """Where the slope is 0."""
    return _bisect(jax.vmap(jax.grad(curve)), low, high)


def _bisect(function: Curve, low: jax.Array, high: jax.Array) -> jax.Array:
    rising = function(high) >= function(low)

    def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        below, above = ends
        middle = 0.5 * (below + above)
        early = (function(middle) < 0.0) == rising
        return jnp.where(early, middle, below), jnp.where(early, above, middle)

    below, above = jax.lax.fori_loop(0, HALVINGS, halve, (low, high))
    return 0.5 * (below + above)
