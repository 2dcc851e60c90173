"""Dereddened fluxes in units of their errors, and a first guess of the Hb behind them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

WEIGHINGS = 3
"""How often the fluxes are weighed for a first guess of Hb."""


class Dereddened(NamedTuple):
    """Dereddened fluxes over their errors, d ~ N(m Hb, 1 + (s Hb)^2), with Hb in the largest flux that is one error.

    A flux in erg/s/cm^2 has a square that is 0 in single precision. One array of points for each feature: unrolled,
    because the sum over few features is the inner one.

    Attributes:
        data: d of each feature, 0 where missing, shape (*points).
        model: of d per unit of Hb, likewise.
        spread: its sigma_R, likewise; None of features without any.
        unit: units of Hb in one unit of the fluxes.
    """

    data: list[jax.Array]
    model: list[jax.Array]
    spread: list[jax.Array | None]
    unit: jax.Array

    def log_likelihood(self, hb: jax.Array) -> jax.Array:
        """log L, for Hb of shape (..., *points)."""
        pulls = [
            (d - m * hb) ** 2 if s is None else (d - m * hb) ** 2 / (1.0 + (s * hb) ** 2)
            for d, m, s in zip(self.data, self.model, self.spread, strict=True)
        ]
        return -0.5 * sum(pulls, start=jnp.zeros_like(hb))

    def departure(self, feature: int, hb: jax.Array) -> jax.Array:
        """Mean departure of a feature from R Hb in units of sigma_R Hb, for Hb of shape (..., *points)."""
        spread = self.spread[feature]
        scatter = jnp.zeros_like(hb) if spread is None else spread * hb
        return (self.data[feature] - self.model[feature] * hb) * scatter / (1.0 + scatter**2)

    def guess(self, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Hb of the weighted mean of all features, and its error in ln Hb; both within the prior."""
        pairs = list(zip(self.data, self.model, strict=True))
        expected = [jnp.where(m > 0.0, d / jnp.where(m > 0.0, m, 1.0), 0.0) for d, m in pairs]
        for _ in range(WEIGHINGS):
            widths = [0.0 if s is None else s * e for s, e in zip(self.spread, expected, strict=True)]
            weights = [m / (1.0 + width**2) for m, width in zip(self.model, widths, strict=True)]
            precision = sum(weight * m for weight, m in zip(weights, self.model, strict=True))
            precision = jnp.where(precision > 0.0, precision, 1.0)
            best = sum(weight * d for weight, d in zip(weights, self.data, strict=True)) / precision
            best = jnp.clip(best, low, high)
            expected = [best for _ in pairs]
        return best, jnp.minimum(1.0 / (best * jnp.sqrt(precision)), 1.0)
