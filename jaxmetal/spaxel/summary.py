"""What a grid posterior says, in numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.spaxel.adaptive import PosteriorGrid, density, quantiles, share_below
from jaxmetal.spaxel.contract import Likelihood

SHARES = (0.16, 0.5, 0.84)
EDGE = 0.02
"""Share of the prior's width at either end that counts as its edge."""


def summarise(grid: PosteriorGrid, likelihood: Likelihood, hb: jax.Array, used: jax.Array) -> dict[str, jax.Array]:
    """The columns of `posterior`, for one spaxel.

    Args:
        grid: of (Z, A_V).
        likelihood: whose posterior it is.
        hb: draws of intrinsic Hb, shape (draws,).
        used: which features count, shape (features,).
    """
    in_z, in_a_v = jnp.sum(grid.mass, axis=1), jnp.sum(grid.mass, axis=0)
    shares = jnp.asarray(SHARES, grid.z.dtype)
    ends = quantiles(grid.z, in_z, shares)
    columns = {
        **_interval("z", ends),
        "z_sigma": 0.5 * (ends[2] - ends[0]),
        **_interval("a_v", quantiles(grid.a_v, in_a_v, shares)),
        **_interval("hb", jnp.quantile(hb, shares)),
        **branches(grid.z, in_z, likelihood.turnover),
        "information": information(grid),
        "log_evidence": grid.log_evidence,
        "outside": jnp.sum(jnp.where(likelihood.outside(grid.z), in_z, 0.0)),
        "at_edge": at_edge(grid.z, in_z, likelihood.z_range),
        "lines": jnp.sum(used),
    }
    return {
        name: jnp.where(jnp.any(used), value, jnp.nan) if name in BY_DATA else value for name, value in columns.items()
    }


BY_DATA = ("hb_low", "hb", "hb_high")
"""Columns that mean nothing without a single line."""


def branches(z: jax.Array, mass: jax.Array, turnover: jax.Array) -> dict[str, jax.Array]:
    """Weight and mode of the branches below and above the turnover; a mode at the turnover itself is none (NaN)."""
    height = density(z, mass)
    below = share_below(z, mass, turnover)
    columns = {}
    for name, weight, side in (("lower", below, z < turnover), ("upper", 1.0 - below, z >= turnover)):
        best = jnp.argmax(jnp.where(side, height, -1.0))
        first, last = jnp.argmax(side), side.size - 1 - jnp.argmax(side[::-1])
        at_turnover = best == (last if name == "lower" else first)
        columns[f"p_{name}"] = jnp.where(jnp.isnan(turnover), jnp.nan, weight)
        columns[f"mode_{name}"] = jnp.where(at_turnover | ~jnp.any(side), jnp.nan, z[best])
    columns["mode"] = z[jnp.argmax(height)]
    return columns


def information(grid: PosteriorGrid) -> jax.Array:
    """Kullback-Leibler divergence of the posterior of Z from its flat prior, in nats."""
    mass = jnp.sum(grid.mass, axis=1)
    height = density(grid.z, mass) * (grid.z[-1] - grid.z[0])
    return jnp.sum(jnp.where(mass > 0.0, mass * jnp.log(jnp.where(mass > 0.0, height, 1.0)), 0.0))


def at_edge(z: jax.Array, mass: jax.Array, z_range: jax.Array) -> jax.Array:
    """Share of the mass in the outer 2 % of the prior, either end."""
    low, high = z_range[0], z_range[1]
    margin = EDGE * (high - low)
    return share_below(z, mass, low + margin) + 1.0 - share_below(z, mass, high - margin)


def _interval(name: str, values: jax.Array) -> dict[str, jax.Array]:
    return {f"{name}_low": values[0], name: values[1], f"{name}_high": values[2]}
