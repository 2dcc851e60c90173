"""True covariates behind uncertain ones: a multivariate normal population, marginalised in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from jaxmetal.numerics.small import cholesky, forward
from jaxmetal.population.galaxies import Covariate


class Design(NamedTuple):
    """Covariates as arrays, relative to their pivots.

    Attributes:
        x: shape (n, D).
        variance: of their errors, shape (n, D), or None where all are exact.
        limited: rows and columns of the entries that are limits.
        sides: of these, 1 for upper and -1 for lower ones.
    """

    x: np.ndarray
    variance: np.ndarray | None
    limited: tuple[np.ndarray, ...]
    sides: np.ndarray


def design(covariates: Mapping[str, Covariate]) -> Design:
    """The arrays of a set of covariates."""
    x = np.stack([c.values - c.pivot for c in covariates.values()], axis=1)
    nothing = np.zeros(len(x))
    limits = np.stack([nothing if c.limit is None else c.limit for c in covariates.values()], axis=1)
    limited = np.nonzero(limits)
    if all(c.exact for c in covariates.values()):
        return Design(x, None, limited, limits[limited])
    variance = np.stack([nothing if c.sigma is None else c.sigma**2 for c in covariates.values()], axis=1)
    return Design(x, np.where(limits, 0.0, variance), limited, limits[limited])


def along(given: Design, slopes: jax.Array) -> tuple[jax.Array, jax.Array | None]:
    """Inside a NumPyro model: mean and variance of slopes . x over each galaxy's true covariates x, each (n,).

    Exact covariates are taken as they are, without a variance. Else those of the population are N(m, S) with m, S free,
    and given x_obs = x + error of covariance E they are normal with mean m + S (S + E)^-1 (x_obs - m) and covariance
    S - S (S + E)^-1 S; the density of x_obs, N(m, S + E), enters the model. Limits are parameters of their own,
    whose likelihood is that of `Covariate`.
    """
    x = jnp.asarray(given.x)
    if given.variance is None:
        return x @ slopes, None
    rows, columns = given.limited
    if rows.size:
        bound = x[rows, columns]
        true = numpyro.sample("covariate.limited", dist.ImproperUniform(dist.constraints.real, (), (rows.size,)))
        numpyro.factor("covariate.limits", -0.5 * jnp.sum(10.0 ** (2.0 * given.sides * (true - bound))))
        x = x.at[rows, columns].set(true)
    mean, population = _normal_population(given.x)
    variance, size = jnp.asarray(given.variance).T, range(x.shape[1])
    factor = cholesky([[population[i, j] + (variance[i] if i == j else 0.0) for j in range(i + 1)] for i in size], 0.0)
    white = jnp.stack(forward(factor, list((x - mean).T)))
    diagonal = jnp.stack([factor[k][k] for k in size])
    numpyro.factor("covariate.density", -jnp.sum(0.5 * white**2 + jnp.log(diagonal)))
    lever = population @ slopes
    gain = jnp.stack(forward(factor, list(lever)))
    return mean @ slopes + jnp.sum(gain * white, axis=0), slopes @ lever - jnp.sum(gain**2, axis=0)


def _normal_population(x: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Mean and covariance of the true covariates, with priors five and two times as wide as the sample."""
    middle, spread = x.mean(axis=0), x.std(axis=0)
    mean = numpyro.sample("covariate.mean", dist.Normal(middle, 5.0 * spread).to_event(1))
    sd = numpyro.sample("covariate.sd", dist.HalfNormal(2.0 * spread).to_event(1))
    if x.shape[1] == 1:
        return mean, jnp.diag(sd**2)
    factor = sd[:, None] * numpyro.sample("covariate.correlation", dist.LKJCholesky(x.shape[1], 2.0))
    return mean, factor @ factor.T
