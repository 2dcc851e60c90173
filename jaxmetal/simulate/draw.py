"""Data drawn from a scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.errors import InputError
from jaxmetal.observation import Plan, Prediction, predict
from jaxmetal.prepare import prepare
from jaxmetal.prior import sites


def draw(scene: Any, observations: Mapping[str, Any], key: jax.Array) -> dict[str, Any]:
    """The observations with their data replaced by draws: the prediction of the scene and noise around it.

    Args:
        scene: every leaf a number (`fill` a prior first).
        observations: name -> `Image` or `WeightedMap`, whose data are not looked at.
        key: random key.

    Raises:
        InputError: if anything is free, or as `prepare`.
    """
    free = sites({"scene": scene, **observations})
    if free:
        raise InputError(
            f"A simulation needs a number for '{next(iter(free))}', found a distribution; fill the prior first."
        )
    plans = prepare(scene, observations)
    keys = jax.random.split(key, len(plans))
    return {name: _observe(observations[name], scene, plans[name], k) for name, k in zip(plans, keys, strict=True)}


@jax.jit
def noiseless(observation: Any, scene: Any, plan: Plan) -> Prediction:
    """`predict`, compiled as a whole: operation by operation it takes several times longer."""
    return predict(observation, scene, plan)


def _observe(observation: Any, scene: Any, plan: Any, key: jax.Array) -> Any:
    model, light = noiseless(observation, scene, plan)
    data = observation.noise.draw(key, model, light)
    return dataclasses.replace(observation, data=jnp.where(observation.used, data, model))
