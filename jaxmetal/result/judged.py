"""Data beside a prediction, and beside other data that the noise might have given around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.likelihood.contract import measured
from jaxmetal.machine import program
from jaxmetal.model import pointwise_of
from jaxmetal.observation import Prediction

MOST, LEAST = 128, 16
"""Sets of data that are drawn: fewer for many data."""

ELEMENTS = 2_000_000
"""Numbers that are drawn for an observation, about."""

TOGETHER = 500_000
"""Numbers that are drawn at a time."""


class Judged(NamedTuple):
    """One observation beside its prediction; arrays are of the data's shape, those of redrawn data have draws in front.

    Attributes:
        sigma: standard deviation of the data.
        residual: in standard deviations, NaN where data are unused or limits.
        log_likelihood: log density of each of the data, 0 where unused.
        redrawn_residual: of data that the noise draws around the prediction, limits left as they are.
        redrawn_log_likelihood: likewise.
    """

    sigma: Any
    residual: Any
    log_likelihood: Any
    redrawn_residual: Any
    redrawn_log_likelihood: Any


@program()
def judged(filled: Mapping[str, Any], seen: Mapping[str, Prediction]) -> dict[str, Judged]:
    """Observation -> how it looks beside its prediction.

    Args:
        filled: observations, every leaf a number.
        seen: name -> prediction.
    """
    likely = pointwise_of(dict(filled), seen)
    return {
        name: Judged(
            filled[name].noise.standard_deviation(*one),
            filled[name].residual(one),
            likely[name],
            *_redrawn(filled[name], one, jax.random.fold_in(jax.random.key(0), i)),
        )
        for i, (name, one) in enumerate(seen.items())
    }


def _redrawn(observation: Any, seen: Prediction, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Residuals and log densities of data that the noise draws around a prediction, (draws, ...)."""
    size = max(seen.value.size, 1)
    count = min(MOST, max(LEAST, ELEMENTS // size))
    scatters = measured(observation.noise, observation.used)

    def once(one: jax.Array) -> tuple[jax.Array, jax.Array]:
        drawn = jnp.where(scatters, observation.noise.draw(one, *seen), observation.data)
        again = dataclasses.replace(observation, data=drawn)
        return again.residual(seen), pointwise_of({"": again}, {"": seen})[""]

    # Many at a time, so that what all share (a covariance, say) is factorised once.
    return jax.lax.map(once, jax.random.split(key, count), batch_size=min(count, max(1, TOGETHER // size)))
