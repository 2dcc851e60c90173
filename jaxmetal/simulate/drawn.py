"""Data drawn from a scene, and scenes drawn from a prior."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.errors import InputError
from jaxmetal.machine import program
from jaxmetal.model import SCENE, tree
from jaxmetal.observation import Prediction, predict_all
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import fill, sites, split


def draw(scene: Any, observations: Mapping[str, Any], key: jax.Array) -> dict[str, Any]:
    """The observations with their data replaced by draws: the prediction of the scene and noise around it.

    Args:
        scene: every leaf a number (`fill` a prior first).
        observations: name -> observation, whose data are not looked at.
        key: random key.

    Raises:
        InputError: if anything is free, or as `prepare`.
    """
    free = sites({"scene": scene, **observations})
    if free:
        raise InputError(
            f"A simulation needs a number for '{next(iter(free))}', found a distribution; fill the prior first."
        )
    return noisy(observations, predictions(observations, scene, prepare(scene, observations)), key)


def noisy(observations: Mapping[str, Any], seen: Mapping[str, Prediction], key: jax.Array) -> dict[str, Any]:
    """The observations with their data replaced by draws around predictions; what is not used has no noise."""
    data = _noisy(dict(observations), dict(seen), key, tuple(observations))
    return {name: dataclasses.replace(one, data=np.asarray(data[name])) for name, one in observations.items()}


def from_prior(scene: Any, observations: Mapping[str, Any], key: jax.Array, count: int) -> dict[str, jax.Array]:
    """What a prior thinks possible, as the telescope would see it without noise: name -> (count, *shape of the data).

    Args:
        scene: with distributions in the places of what is not known.
        observations: name -> observation, whose data are not looked at.
        key: random key.
        count: number of draws.

    Raises:
        InputError: as `prepare`, or if no draw is asked for.
    """
    require_count("count", count, 1)
    plans = prepare(scene, observations)
    skeleton, free = split(tree(scene, observations))
    keys = jax.random.split(key, max(len(free), 1))
    drawn = {name: prior.sample(k, (count,)) for (name, prior), k in zip(free.items(), keys, strict=False)}
    return _look(skeleton, plans, drawn, jnp.arange(count))


@program()
def _look(skeleton: Any, plans: Any, drawn: dict[str, Any], numbers: jax.Array) -> dict[str, jax.Array]:
    def one(number: jax.Array) -> dict[str, jax.Array]:
        filled = fill(skeleton, {name: values[number] for name, values in drawn.items()})
        return {name: seen.value for name, seen in predict_all(filled, filled[SCENE], plans).items()}

    return jax.lax.map(one, numbers)


@program(static_argnames="names")
def _noisy(
    observations: dict[str, Any], seen: dict[str, Prediction], key: jax.Array, names: tuple[str, ...]
) -> dict[str, jax.Array]:
    """Data; `names` are in the order in which they are drawn."""
    data = {}
    for name, of_this in zip(names, jax.random.split(key, len(names)), strict=True):
        observation, (model, light) = observations[name], seen[name]
        data[name] = jnp.where(observation.used, observation.noise.draw(of_this, model, light), model)
    return data
