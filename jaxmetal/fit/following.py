"""A space that stays white whatever the scatter and the length of a field: its Gaussian follows them.

How far the weights of a field may move depends on how much it may scatter and how long it is: a Gaussian that is fixed
whitens the posterior at one scatter alone, and chains crawl elsewhere. But weights act only through what they are
multiplied with, and near the maximum the data are a Gaussian in that, so that it is known for every scatter and length
at once:

    p(w | phi) ~ N(m, (1 + M M^T)^-1),    m = (1 + M M^T)^-1 R b,    M = R U
    U U^T ~ H - 1,    b = (1 + U U^T) w_0,    R = diag(D(phi) / D(phi_0))

with w all numbers but phi, each Normal(0, 1) beforehand, w_0 and H the mode and the curvature at phi_0, and D(phi) the
deviations of a field's weights, 1 for other numbers. A chain moves in (phi, e), w = m + (1 + M M^T)^(-1/2) e, where e
is white and independent of phi as far as that holds. The change of volume is part of the density, so that draws are
exact wherever it does not. The square root is Andrews's (1968, AIAA Journal 6, 1165): 1 - M C^-T (C + 1)^-1 M^T, with
C C^T = 1 + M^T M; only directions that the data tell are in U.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from jaxmetal.fit.held import pulls
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem, constrain, parts, priors_of
from jaxmetal.meaning import COEFFICIENT, meanings
from jaxmetal.prior import fill

TOLD = 1.0
"""Curvature by the data, over that of the prior, below which a direction is left to the prior."""

WIDTH = 32
"""The number of directions is a multiple of it, so that few programs are compiled."""

FARTHEST = 3.0
"""Largest logarithm of R: an extrapolation beyond it would not whiten."""


class Following(NamedTuple):
    """See the module.

    Attributes:
        mode: shape (size,).
        pulled: b, and the mode where phi is; shape (size,).
        told: U, shape (size, directions); 0 where phi is.
        held: 1 where phi is, 0 elsewhere; shape (size,).
        log_volume: of C where e = 0, the sum of the logarithms of its diagonal.
        log_peak: log density at the mode.
    """

    mode: np.ndarray
    pulled: np.ndarray
    told: np.ndarray
    held: np.ndarray
    log_volume: Any
    log_peak: Any

    def place(self, problem: Problem, e: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The unconstrained vector of a white one, and the logarithm of the change of volume since e = 0."""
        moved = self.mode + self.held * e
        log_ratio = _log_deviations(problem, moved) - _log_deviations(problem, self.mode)
        ratio = jnp.exp(jnp.clip(log_ratio, -FARTHEST, FARTHEST))
        told, pulled = ratio[:, None] * self.told, ratio * self.pulled
        lower = jnp.linalg.cholesky(jnp.eye(told.shape[1]) + told.T @ told)
        along = solve_triangular(lower, told.T @ pulled, lower=True)
        along += solve_triangular(lower + jnp.eye(len(lower)), told.T @ e, lower=True)
        vector = pulled + e - told @ solve_triangular(lower, along, lower=True, trans="T")
        return vector, self.log_volume - jnp.sum(jnp.log(jnp.diag(lower)))


def following(problems: Problem, which: Sequence[int], gaussians: Sequence[Laplace]) -> Sequence[Laplace | Following]:
    """The Gaussians as they follow scatter and length; as they are where no field has these free."""
    held = [pulls(problems.skeleton, priors_of(problems, i)) > 0.0 for i in which]
    if not any(one.any() for one in held):
        return list(gaussians)
    made = [_about(one, where) for one, where in zip(gaussians, held, strict=True)]
    most = max(one.told.shape[1] for one in made)
    wide = max(1, -(-most // WIDTH)) * WIDTH
    return [one._replace(told=np.pad(one.told, [(0, 0), (0, wide - one.told.shape[1])])) for one in made]


def _about(gaussian: Laplace, held: np.ndarray) -> Following:
    """The space about the mode of a Gaussian, whose curvature is that of w where phi is held."""
    real, rest = gaussian.mode.dtype, ~held
    inverse = np.linalg.inv(np.asarray(gaussian.factor, float))
    curvature = (inverse.T @ inverse)[np.ix_(rest, rest)]
    values, vectors = np.linalg.eigh(curvature - np.eye(len(curvature)))
    kept = values > TOLD
    told = np.zeros((held.size, int(kept.sum())))
    told[rest] = vectors[:, kept] * np.sqrt(values[kept])
    pulled = np.array(gaussian.mode, float)
    # With U in the place of the curvature, so that e = 0 is the mode whatever is left to the prior.
    pulled += told @ (told.T @ pulled)
    return Following(
        mode=gaussian.mode,
        pulled=pulled.astype(real),
        told=told.astype(real),
        held=held.astype(real),
        log_volume=np.asarray(0.5 * np.sum(np.log1p(values[kept])), real),
        log_peak=gaussian.log_peak,
    )


def _log_deviations(problem: Problem, vector: Any) -> jax.Array:
    """log D: of the numbers that are weights of a field, 0 of all others."""
    sites = problem.sites
    values, where = constrain(sites, vector)[0], parts(sites)
    found = jnp.zeros_like(vector)
    for site, meaning in meanings(problem.skeleton).items():
        if meaning.role == COEFFICIENT:
            holder = problem.skeleton
            for key in meaning.places[0].path[:-1]:
                holder = holder[key] if isinstance(holder, dict) else getattr(holder, key)
            found = found.at[where[site]].set(fill(holder, values).log_deviations().ravel())
    return found
