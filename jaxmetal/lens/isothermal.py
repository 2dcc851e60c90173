"""The isothermal ellipsoid with a core, on its own axes."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens.axes import CORE, Number
from jaxmetal.numerics.ratios import arctan_ratio


def deflection(u: jax.Array, v: jax.Array, q: Number, core: Number) -> tuple[jax.Array, jax.Array]:
    """Along the major (u) and minor (v) axes, for kappa = 1 / (2 sqrt(q^2 (core^2 + u^2) + v^2)).

    Keeton (2001, astro-ph/0102341, section 3.2.1), in a form without 0/0 at q = 1. A core of 0 will do: `psi` alone is
    softened, by which the deflection is off as CORE^2 / r^2; a core of CORE would be off as CORE / r.
    """
    radius = psi(u, v, q, core)
    a, b = u / (radius + core), v / (radius + q**2 * core)
    f2 = 1 - jnp.asarray(q) ** 2
    return a * arctan_ratio(f2 * a**2), b * arctan_ratio(-f2 * b**2)


def potential(u: jax.Array, v: jax.Array, q: Number, core: Number) -> jax.Array:
    """Its potential: u alpha_u + v alpha_v - core ln sqrt((psi + core)^2 + (1 - q^2) u^2), as in Keeton (2001)."""
    along, across = deflection(u, v, q, core)
    squared = (psi(u, v, q, core) + core) ** 2 + (1 - jnp.asarray(q) ** 2) * u**2
    return u * along + v * across - 0.5 * core * jnp.log(squared)


def psi(u: jax.Array, v: jax.Array, q: Number, core: Number) -> jax.Array:
    """sqrt(q^2 (core^2 + u^2) + v^2), never 0."""
    return jnp.sqrt(q**2 * (core**2 + CORE**2 + u**2) + v**2)
