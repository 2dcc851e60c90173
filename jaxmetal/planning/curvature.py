"""Errors that data of a given quality allow, from the curvature of the likelihood at a known truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.machine import program
from jaxmetal.model import SCENE, log_likelihood, tree
from jaxmetal.observation import predict_all
from jaxmetal.prepared import prepare
from jaxmetal.prior import fill, split


class Fisher(NamedTuple):
    """The Fisher information of data about the free parameters.

    Attributes:
        names: parameters, one per row (scalar sites).
        information: shape (size, size).
    """

    names: tuple[str, ...]
    information: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Its inverse: no unbiased estimate scatters less (Cramer & Rao)."""
        return np.linalg.inv(self.information)

    def error(self, name: str) -> float:
        """Standard deviation of a parameter, all others unknown too."""
        k = self.names.index(name)
        return float(np.sqrt(self.covariance[k, k]))


def fisher(
    scene: Any,
    observations: Mapping[str, Any],
    truth: Mapping[str, Any],
    sampling: Mapping[str, Sampling] | None = None,
) -> Fisher:
    """Fisher information at a truth: minus the Hessian of the log-likelihood of noise-free data.

    For Gaussian noise of known size that is exactly J^T Sigma^-1 J, J the derivatives of the predictions. Priors do not
    enter.

    Args:
        scene: with distributions in the places of what a fit would leave free; what they say is not used.
        observations: name -> observation with errors and masks; data are not looked at.
        truth: parameter -> value.
        sampling: sample grids, where the automatic choice is not wanted.

    Raises:
        InputError: if nothing is free, a parameter is no single number, or one lacks a value.
    """
    plans = prepare(scene, observations, sampling)
    skeleton, free = split(tree(scene, observations))
    if not free:
        raise InputError("Nothing is free, so that nothing has an error; give a leaf of the scene a distribution.")
    for name, prior in free.items():
        if prior.shape() != ():
            raise InputError(f"'{name}': expected a single number, found shape {prior.shape()}; split it up.")
    missing = set(free) - set(truth)
    if missing:
        raise InputError(f"truth: '{min(missing)}' is free but has no value; give one.")
    values = {name: jnp.asarray(truth[name], jnp.result_type(float)) for name in free}
    return Fisher(tuple(free), np.asarray(_information(skeleton, plans, values)))


@program()
def _information(skeleton: Any, plans: Any, truth: dict[str, jax.Array]) -> jax.Array:
    filled = fill(skeleton, truth)
    seen = predict_all(filled, filled[SCENE], plans)
    noise_free = {
        name: dataclasses.replace(part, data=jax.lax.stop_gradient(seen[name].value)) if name in seen else part
        for name, part in skeleton.items()
    }
    flat, back = ravel_pytree(truth)
    return -jax.hessian(lambda vector: log_likelihood(fill(noise_free, back(vector)), plans))(flat)
