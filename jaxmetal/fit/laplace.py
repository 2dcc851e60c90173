"""The Gaussian that touches the posterior at its maximum: its quality, and its use for whitening and evidence."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.fit.optimum import Optimum, curvature, log_densities, scale
from jaxmetal.fit.problem import Problem


class Laplace(NamedTuple):
    """log p(z) ~ log_peak - (z - mode)^T H (z - mode) / 2 on the unconstrained vector z.

    Attributes:
        mode: shape (size,).
        factor: S with S S^T = H^-1: z = mode + S e with e standard normal.
        log_peak: log density at the mode, Jacobian included.
    """

    mode: jax.Array
    factor: jax.Array
    log_peak: jax.Array

    @property
    def log_evidence(self) -> jax.Array:
        """log integral of the posterior density: log_peak + (d/2) log 2 pi + log |S|."""
        _, log_det = jnp.linalg.slogdet(self.factor)
        return self.log_peak + 0.5 * self.mode.size * jnp.log(2.0 * jnp.pi) + log_det


def laplace(problem: Problem, peak: Optimum) -> Laplace:
    """The approximation at a maximum of the unconstrained density."""
    one = jnp.ones((), peak.vector.dtype)
    return Laplace(peak.vector, scale(curvature(problem, peak.vector, one)), peak.log_density)


FEWEST = 0.02
"""Share of effective draws below which so few weights remain that their tail cannot be judged."""


class ImportanceDraws(NamedTuple):
    """Draws from the Laplace approximation with smoothed importance weights.

    Attributes:
        vectors: shape (draws, size).
        log_weights: normalised, shape (draws,).
        k_hat: Pareto shape of the weights: below 0.7 the weighted draws can be trusted (Vehtari et al. 2024,
            JMLR 25, 72); infinite where nearly all weight lies on a few draws.
    """

    vectors: jax.Array
    log_weights: np.ndarray
    k_hat: float


def importance_draws(problem: Problem, approximation: Laplace, key: jax.Array, draws: int) -> ImportanceDraws:
    """Draws from the approximation and weighs them by the posterior, with Pareto-smoothed weights (arviz-stats)."""
    from arviz_stats.base import array_stats

    whitened = jax.random.normal(key, (draws, approximation.mode.size), approximation.mode.dtype)
    vectors = approximation.mode + whitened @ approximation.factor.T
    log_target = log_densities(problem, vectors)
    log_ratio = np.asarray(log_target + 0.5 * jnp.sum(whitened**2, axis=1))
    log_ratio = np.where(np.isfinite(log_ratio), log_ratio, -1e300)
    log_ratio -= log_ratio.max()
    with np.errstate(all="ignore"):
        log_weights, k_hat = array_stats.psislw(log_ratio)
        effective = 1.0 / np.sum(np.exp(2.0 * log_weights))
    if not effective > FEWEST * draws:
        log_weights, k_hat = log_ratio - np.log(np.sum(np.exp(log_ratio))), np.inf
    return ImportanceDraws(vectors, np.asarray(log_weights), float(k_hat))
