"""A finished fit, seen once: what files, pictures, the summary and users read off it, computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, TypeVarTuple

import jax
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.model import SCENE, pointwise_of
from jaxmetal.numerics.tree import realised
from jaxmetal.observation import Plan, Prediction, predict_all
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill, split
from jaxmetal.result.parameters import Parameter, parameters

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class View:
    """A posterior with what has been computed of it.

    Functions that read a posterior take a view of it as well. Give several of them the same view, and predictions,
    residuals, convergence and maps are computed once for all.

    Attributes:
        posterior: of a fit.
    """

    def __init__(self, posterior: Posterior) -> None:
        self.posterior = posterior
        self._kept: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def _parts(self) -> tuple[dict[str, Any], dict[str, Distribution]]:
        return split(self.posterior.tree)

    @property
    def skeleton(self) -> dict[str, Any]:
        """Scene and observations with `Free` in the places of the parameters."""
        return self._parts[0]

    @property
    def priors(self) -> dict[str, Distribution]:
        """Parameter name -> its prior."""
        return self._parts[1]

    @cached_property
    def filled(self) -> dict[str, Any]:
        """Scene and observations with the best values in place."""
        return realised(fill(self.skeleton, self.posterior.best))

    @cached_property
    def predictions(self) -> dict[str, Prediction]:
        """Observation -> what it would record at the best values without noise."""
        return jax.tree.map(np.asarray, _predict(self.filled, self.posterior.plans))

    @cached_property
    def sigmas(self) -> dict[str, np.ndarray]:
        """Observation -> standard deviation of its data at the best values, of the data's shape."""
        return {
            name: np.asarray(self.filled[name].noise.standard_deviation(*seen))
            for name, seen in self.predictions.items()
        }

    @cached_property
    def residuals(self) -> dict[str, np.ndarray]:
        """Observation -> residuals at the best values, in standard deviations; NaN where data are unused."""
        return {name: np.asarray(self.filled[name].residual(seen)) for name, seen in self.predictions.items()}

    @cached_property
    def chi2(self) -> dict[str, float]:
        """Observation -> sum of its squared residuals."""
        return {name: float(np.nansum(values**2)) for name, values in self.residuals.items()}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Observation -> number of data used."""
        return {name: int(np.sum(np.asarray(self.filled[name].used))) for name in self.posterior.observations}

    @cached_property
    def log_likelihoods(self) -> dict[str, np.ndarray]:
        """Observation -> log density of each of its data at the best values, 0 where unused."""
        return jax.tree.map(np.asarray, _log_likelihoods(self.filled, self.predictions))

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Every free number: its draws, and what is said of them."""
        return parameters(self.posterior)

    def once(self, compute: Callable[[View, *Ts], T], *arguments: *Ts) -> T:
        """`compute(view, *arguments)`, kept: the second call with equal arguments returns what the first one did."""
        key = (compute, *arguments)
        if key not in self._kept:
            self._kept[key] = compute(self, *arguments)
        return self._kept[key]


def view(posterior: Posterior | View) -> View:
    """A view of a posterior; a view is returned as it is."""
    return posterior if isinstance(posterior, View) else View(posterior)


@jax.jit
def _predict(filled: dict[str, Any], plans: dict[str, Plan]) -> dict[str, Prediction]:
    return predict_all(filled, filled[SCENE], plans)


@jax.jit
def _log_likelihoods(filled: dict[str, Any], seen: dict[str, Prediction]) -> dict[str, jax.Array]:
    return pointwise_of(filled, seen)
