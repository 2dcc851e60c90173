"""From a ratio to metallicity: every root of a calibration, branch by branch."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lines.strong_lines import Calibration

SAMPLES, HALVINGS = 400, 50


def turnovers(calibration: Calibration) -> np.ndarray:
    """Abundances within the valid range where d log R / d Z changes its sign, ascending."""
    slope = jax.vmap(jax.grad(calibration.curve))
    low, high = calibration.valid
    z = np.linspace(float(low), float(high), SAMPLES)
    sign = np.sign(np.asarray(slope(jnp.asarray(z))))
    changes = sign[:-1] * sign[1:] < 0
    if not changes.any():
        return np.zeros(0)
    return np.asarray(_bisect(slope, jnp.asarray(z[:-1][changes]), jnp.asarray(z[1:][changes])))


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
    return jnp.stack([_root(calibration, *ends, log_ratio) for ends in itertools.pairwise(edges)])


def _root(calibration: Calibration, low: float, high: float, log_ratio: jax.Array) -> jax.Array:
    ends = calibration.curve(jnp.asarray([low, high]))
    reached = (log_ratio >= ends.min()) & (log_ratio <= ends.max())
    root = _bisect(
        lambda z: calibration.curve(z) - log_ratio, jnp.full(log_ratio.shape, low), jnp.full(log_ratio.shape, high)
    )
    return jnp.where(reached, root, jnp.nan)


def _bisect(function: Callable[[jax.Array], jax.Array], low: jax.Array, high: jax.Array) -> jax.Array:
    rising = function(high) >= function(low)

    def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        below, above = ends
        middle = 0.5 * (below + above)
        early = (function(middle) < 0.0) == rising
        return jnp.where(early, middle, below), jnp.where(early, above, middle)

    below, above = jax.lax.fori_loop(0, HALVINGS, halve, (low, high))
    return 0.5 * (below + above)
