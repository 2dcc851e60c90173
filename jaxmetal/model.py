"""The probabilistic model: a scene and its observations, as plain log-densities and as NumPyro pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpyro

from jaxmetal.observation import Plan, Prediction, predict, predict_all
from jaxmetal.prepared import prepare
from jaxmetal.prior import sample

SCENE = "scene"
"""Name of the scene in the tree that holds the scene and its observations."""


def tree(scene: Any, observations: Mapping[str, Any]) -> dict[str, Any]:
    """Scene and observations in one tree, where every parameter has one path: `scene. ...` or `<observation>. ...`."""
    return {SCENE: scene, **observations}


def pointwise_log_likelihood(filled: dict[str, Any], plans: Mapping[str, Plan]) -> dict[str, jax.Array]:
    """Log-density of every datum of every observation, 0 where it is not used.

    Args:
        filled: from `tree`, every leaf a number.
        plans: from `prepare`.
    """
    return pointwise_of(filled, predict_all(filled, filled[SCENE], plans))


def pointwise_of(filled: dict[str, Any], seen: Mapping[str, Prediction]) -> dict[str, jax.Array]:
    """`pointwise_log_likelihood` of observations that are predicted already."""
    return {name: _pointwise(filled[name], prediction) for name, prediction in seen.items()}


def log_likelihood(filled: dict[str, Any], plans: Mapping[str, Plan]) -> jax.Array:
    """Sum of `pointwise_log_likelihood` over all data."""
    return sum((jnp.sum(terms) for terms in pointwise_log_likelihood(filled, plans).values()), start=jnp.zeros(()))


def observe(name: str, observation: Any, scene: Any, plan: Plan) -> None:
    """Inside a NumPyro model: adds the log-likelihood of one observation of `scene`."""
    numpyro.factor(f"{name}.log_likelihood", jnp.sum(_pointwise(observation, predict(observation, scene, plan))))


def numpyro_model(scene: Any, observations: Mapping[str, Any]) -> Any:
    """A NumPyro model of a prior scene and its observations, for samplers, guides and tools of `numpyro.infer`.

        model = jm.model.numpyro_model(prior, {"metallicity": observation})
        MCMC(NUTS(model), num_warmup=500, num_samples=500).run(jax.random.key(0))

    Args:
        scene: prior, see `fit.auto`.
        observations: name -> observation.

    Returns:
        A function without arguments. Its sample sites are the free parameters by their full paths, as those of a
        `Posterior`; each observation is a factor `<observation>.log_likelihood`, normalised.

    Raises:
        InputError: as `prepare`.
    """
    plans = prepare(scene, observations)
    prior = tree(scene, observations)

    def model() -> None:
        filled = sample(prior)
        for name, terms in pointwise_log_likelihood(filled, plans).items():
            numpyro.factor(f"{name}.log_likelihood", jnp.sum(terms))

    return model


def _pointwise(observation: Any, seen: Prediction) -> jax.Array:
    return observation.noise.pointwise(observation.data, seen.value, seen.light, observation.used)
