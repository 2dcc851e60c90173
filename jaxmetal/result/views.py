"""A finished fit, seen once: what files, pictures, the summary and users read off it, computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar, TypeVarTuple

import jax
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.machine import program
from jaxmetal.meaning import Meaning, meanings
from jaxmetal.meaning.circles import at_home, unwrap
from jaxmetal.model import SCENE, pointwise_of
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.tree import realised
from jaxmetal.observation import Prediction
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import predictions
from jaxmetal.prior import fill, split, strong
from jaxmetal.result.parameters import Parameter, parameters
from jaxmetal.result.surprise import redrawn, surprises

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
    def meanings(self) -> dict[str, Meaning]:
        """Parameter name -> what it is: unit, role, period, places."""
        return meanings(self.posterior.tree)

    @cached_property
    def filled(self) -> dict[str, Any]:
        """Scene and observations with the best values in place."""
        return realised(self._best)

    @cached_property
    def _best(self) -> dict[str, Any]:
        return fill(self.skeleton, self.posterior.best)

    @cached_property
    def predictions(self) -> dict[str, Prediction]:
        """Observation -> what it would record at the best values without noise."""
        return self._predict(self._best)

    def predicted(self, values: Mapping[str, Any]) -> dict[str, Prediction]:
        """Observation -> what it would record at these values of the parameters without noise."""
        return self._predict(fill(self.skeleton, values))

    def _predict(self, filled: dict[str, Any]) -> dict[str, Prediction]:
        plans = self.posterior.plans
        return jax.tree.map(np.asarray, predictions({name: filled[name] for name in plans}, filled[SCENE], plans))

    @cached_property
    def _judged(self) -> tuple[dict[str, np.ndarray], ...]:
        seen = self.predictions
        return jax.tree.map(np.asarray, _judged({name: self.filled[name] for name in seen}, seen))

    @property
    def sigmas(self) -> dict[str, np.ndarray]:
        """Observation -> standard deviation of its data at the best values, of the data's shape."""
        return self._judged[0]

    @property
    def residuals(self) -> dict[str, np.ndarray]:
        """Observation -> residuals at the best values, in standard deviations; NaN where data are unused."""
        return self._judged[1]

    @property
    def log_likelihoods(self) -> dict[str, np.ndarray]:
        """Observation -> log density of each of its data at the best values, 0 where unused."""
        return self._judged[2]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the posterior, and observations that its best values do not describe; worst first."""
        new = surprises(self.log_likelihoods, self._judged[3], self.chi2, self.counts)
        return worst_first([*self.posterior.findings, *new])

    @cached_property
    def chi2(self) -> dict[str, float]:
        """Observation -> sum of its squared residuals."""
        return {name: float(np.nansum(values**2)) for name, values in self.residuals.items()}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Observation -> number of data used."""
        return {name: int(np.sum(np.asarray(self.filled[name].used))) for name in self.posterior.observations}

    @cached_property
    def log_priors(self) -> dict[str, np.ndarray]:
        """Parameter name -> log density of its prior at every draw, (chains, draws, ...)."""
        packed = {name: Packed.of(prior) for name, prior in self.priors.items()}
        drawn = self.posterior.draws
        drawn = {n: at_home(drawn[n], prior, self.meanings[n].period) for n, prior in self.priors.items()}
        return jax.tree.map(np.asarray, _log_priors(strong(packed), drawn))

    @cached_property
    def unwrapped(self) -> dict[str, np.ndarray]:
        """Draws, angles folded to within half of their period of the best value: what summaries are of."""
        periods = {name: one.period for name, one in self.meanings.items()}
        return unwrap(self.posterior.draws, self.posterior.best, periods)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Every free number: its draws, and what is said of them."""
        return parameters(self.unwrapped, self.posterior.best)

    def once(self, compute: Callable[[View, *Ts], T], *arguments: *Ts) -> T:
        """`compute(view, *arguments)`, kept: the second call with equal arguments returns what the first one did."""
        key = (compute, *arguments)
        if key not in self._kept:
            self._kept[key] = compute(self, *arguments)
        return self._kept[key]


def view(posterior: Posterior | View) -> View:
    """A view of a posterior; a view is returned as it is."""
    return posterior if isinstance(posterior, View) else View(posterior)


@program()
def _judged(filled: dict[str, Any], seen: dict[str, Prediction]) -> tuple[dict[str, jax.Array], ...]:
    """Standard deviations, residuals, log densities, and what these sum to where the noise draws the data."""
    return (
        {name: filled[name].noise.standard_deviation(*one) for name, one in seen.items()},
        {name: filled[name].residual(one) for name, one in seen.items()},
        pointwise_of(filled, seen),
        redrawn(filled, seen),
    )


@program()
def _log_priors(packed: dict[str, Packed], draws: dict[str, Any]) -> dict[str, jax.Array]:
    return {name: prior.log_prob(draws[name]) for name, prior in unpacked(packed).items()}
