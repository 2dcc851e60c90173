"""Which galaxies could have entered the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.population.scatter import log_density

REACH, TAIL_REACH, NODES = 10.0, 3000.0, 241
"""Nodes mean + scatter sinh(t) of the integral over y, and how many scatters they reach: Gaussian, and Student-t."""

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
        probability: S(y, x) in JAX, in [0, 1], smooth or with few steps (good to 5 % then), of the true quantity y (any
            shape) and a dict of the covariates (broadcastable to it).
        decided_by: "truth", where something independent of the measurement of y selected the galaxy (its likelihood
            then contains S too), or "data", where the measurement itself did, S(y, x) being the chance that a galaxy
            of true y passes (its likelihood then does not).
        description: one sentence for the result.
    """

    probability: Callable[[jax.Array, Mapping[str, jax.Array]], jax.Array]
    decided_by: Literal["truth", "data"]
    description: str

    def log_share(
        self, mean: jax.Array, scatter: jax.Array, nu: jax.Array | None, covariates: Mapping[str, jax.Array]
    ) -> jax.Array:
        """log int p(y | x) S(y, x) dy for galaxies of expected values `mean`, shape (n,).

        Args:
            mean: of the relation at each galaxy's covariates.
            scatter: intrinsic scatter.
            nu: degrees of freedom, None for Gaussian scatter.
            covariates: name -> shape (n,).
        """
        reach = np.arcsinh(REACH if nu is None else TAIL_REACH)
        t = jnp.linspace(-reach, reach, NODES)
        # The nodes stand still while the density moves over them: a step in S has a gradient only so.
        nodes = jax.lax.stop_gradient(mean[:, None] + scatter * jnp.sinh(t))
        widths = jax.lax.stop_gradient(scatter * jnp.cosh(t))
        weight = widths * jnp.exp(log_density(nodes - mean[:, None], scatter, None, nu))
        seen = self.probability(nodes, {k: v[:, None] for k, v in covariates.items()})
        # Dividing by the sum of the weights takes out what the rule and the tails beyond its reach miss.
        return jnp.log(jnp.maximum(jnp.sum(weight * seen, axis=1) / jnp.sum(weight, axis=1), 1e-300))

    def log_probability(self, values: Any, covariates: Mapping[str, Any]) -> jax.Array:
        """What enters the likelihood of draws (n, k): log S where the truth decided, 0 where the data did."""
        if self.decided_by == "data":
            return jnp.zeros(np.shape(values))
        seen = self.probability(jnp.asarray(values), {k: jnp.asarray(v)[:, None] for k, v in covariates.items()})
        return jnp.log(jnp.maximum(jnp.broadcast_to(seen, np.shape(values)), 1e-300))
