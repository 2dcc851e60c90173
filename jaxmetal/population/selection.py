"""Which galaxies could have entered the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from jaxmetal.lines.names import look_up
from jaxmetal.population.scatter import log_density

REACH, TAIL_REACH, NODES = 10.0, 3000.0, 241
"""Nodes mean + scatter sinh(t) of the integral over y, and how many scatters they reach: Gaussian, and Student-t."""

BEYOND = 61
"""Nodes over the measured range, where that lies further away."""

DECIDED = {"truth": True, "data": False}
"""What selected a galaxy -> whether the likelihood of its data contains S."""

WITHOUT = (
    "No selection function was given: the relation is that of galaxies like those in the sample, "
    "whatever kept others out of it."
)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The probability that a galaxy enters the sample.

    The density of a galaxy's data is divided by int p(y | x) S(y, x) dy, the share of such galaxies that enter (Mandel,
    Farr & Gair 2019, MNRAS 486, 1086, eq. 7). A selection on covariates alone drops out, and needs none of this.

    Attributes:
        probability: S(y, x) in JAX, in [0, 1], smooth, or with few steps (the share is good to 6 % at one within reach
            of the scatter, 15 % between two close ones, 40 % in the far tail), of the true quantity y (any shape) and a
            dict of the covariates (broadcastable to it).
        decided_by: "truth", where something independent of the measurement of y selected the galaxy (its likelihood
            then contains S too), or "data", where the measurement itself did, S(y, x) being the chance that a galaxy
            of true y passes (its likelihood then does not).
        description: one sentence for the result.
    """

    probability: Callable[[jax.Array, Mapping[str, jax.Array]], jax.Array]
    decided_by: Literal["truth", "data"]
    description: str

    def __post_init__(self) -> None:
        look_up("decided_by", self.decided_by, DECIDED)

    def log_share(
        self,
        mean: jax.Array,
        scatter: jax.Array,
        nu: jax.Array | None,
        covariates: Mapping[str, jax.Array],
        measured: tuple[float, float] | None = None,
    ) -> jax.Array:
        """log int p(y | x) S(y, x) dy for galaxies of expected values `mean`, shape (n,).

        Args:
            mean: of the relation at each galaxy's covariates.
            scatter: intrinsic scatter.
            nu: degrees of freedom, None for Gaussian scatter.
            covariates: name -> shape (n,).
            measured: least and largest y that were measured. Where the sampler tries a relation far below or above all
                of them, S may let nothing enter but the outermost tail, which lies there.
        """
        limit = REACH if nu is None else TAIL_REACH
        reach = np.arcsinh(limit)
        t = jnp.linspace(-reach, reach, NODES)
        # The nodes stand still while the density moves over them: a step in S has a gradient only so.
        nodes = jax.lax.stop_gradient(mean[:, None] + scatter * jnp.sinh(t))
        widths = jax.lax.stop_gradient(scatter * jnp.cosh(t))
        log_weight = jnp.log(widths) + log_density(nodes - mean[:, None], scatter, None, nu)
        # Dividing by the sum of the weights takes out what the rule and the tails beyond its reach miss.
        within = logsumexp(log_weight + self._log(nodes, covariates), axis=1) - logsumexp(log_weight, axis=1)
        if measured is None:
            return within

        def tail(side: float) -> jax.Array:
            end = jax.lax.stop_gradient(mean + side * limit * scatter)
            first, last = (jnp.maximum(side * y, side * end) for y in measured[:: int(side)])
            y = side * jnp.concatenate([side * end[None], jnp.linspace(first, last, BEYOND)]).T
            log_term = log_density(y - mean[:, None], scatter, None, nu) + self._log(y, covariates)
            return logsumexp(_log_trapezoids(log_term, jnp.abs(jnp.diff(y, axis=1))), axis=1)

        return jnp.logaddexp(within, jnp.logaddexp(tail(1.0), tail(-1.0)))

    def lets_in(self, values: np.ndarray, covariates: Mapping[str, Any]) -> np.ndarray:
        """Whether S is above 0 at any draw of each galaxy, (n, k)."""
        return np.any(np.asarray(self._chance(jnp.asarray(values), covariates)) > 0.0, axis=1)

    def _chance(self, values: jax.Array, covariates: Mapping[str, Any]) -> jax.Array:
        """S, shape of `values`, which has galaxies in front."""
        known = {name: jnp.asarray(value)[:, None] for name, value in covariates.items()}
        return jnp.broadcast_to(self.probability(values, known), values.shape)

    def _log(self, values: jax.Array, covariates: Mapping[str, Any]) -> jax.Array:
        """log S, likewise."""
        return jnp.log(jnp.maximum(self._chance(values, covariates), 1e-300))

    def log_probability(self, values: Any, covariates: Mapping[str, Any]) -> jax.Array:
        """What enters the likelihood of draws (n, k): log S where the truth decided, 0 where the data did."""
        if not DECIDED[self.decided_by]:
            return jnp.zeros(np.shape(values))
        return self._log(jnp.asarray(values), covariates)


def _log_trapezoids(log_term: jax.Array, widths: jax.Array) -> jax.Array:
    """log of the integrals between neighbours of a function that is exponential between them."""
    half = 0.5 * jnp.abs(jnp.diff(log_term, axis=1))
    middle = 0.5 * (log_term[:, 1:] + log_term[:, :-1])
    steep = jnp.maximum(half, 1e-2)
    log_sinhc = jnp.where(half > 1e-2, steep + jnp.log(-jnp.expm1(-2.0 * steep)) - jnp.log(2.0 * steep), half**2 / 6.0)
    return middle + log_sinhc + jnp.log(jnp.maximum(widths, 1e-300))
