"""A finished fit, seen once: what files, pictures, the summary and users read off it, computed when first asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import groupby
from typing import Any, TypeVar, TypeVarTuple

import jax
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.likelihood.stated import as_stated
from jaxmetal.lines.names import look_up
from jaxmetal.machine import program
from jaxmetal.meaning import COEFFICIENT, Meaning, meanings
from jaxmetal.meaning.circles import at_home, unwrap
from jaxmetal.model import SCENE
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.tree import realised
from jaxmetal.observation import Prediction, absorbed, planes
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import predictions
from jaxmetal.prior import fill, split, strong
from jaxmetal.result.extrapolated import extrapolated
from jaxmetal.result.goodness import Goodness, Seen, findings, goodness
from jaxmetal.result.judged import Judged, judged
from jaxmetal.result.misfit import Layout
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
    def _judged(self) -> dict[str, Judged]:
        return self._beside(self._shown)

    @cached_property
    def _stated(self) -> dict[str, Judged]:
        """With the errors as they were stated, of the observations where the fit was free to change them."""
        noises = {name: as_stated(self.skeleton[name].noise, self.filled[name].noise) for name in self.predictions}
        free = [name for name, noise in noises.items() if noise is not self.filled[name].noise]
        if not free:
            return {}
        # All at once, for that is a program which is there.
        found = self._beside({n: dataclasses.replace(self.filled[n], noise=noise) for n, noise in noises.items()})
        return {name: found[name] for name in free}

    def _beside(self, filled: dict[str, Any]) -> dict[str, Judged]:
        return jax.tree.map(np.asarray, judged(filled, self.predictions))

    @cached_property
    def sigmas(self) -> dict[str, np.ndarray]:
        """Observation -> standard deviation of its data at the best values, of the data's shape."""
        return {name: one.sigma for name, one in self._judged.items()}

    @cached_property
    def residuals(self) -> dict[str, np.ndarray]:
        """Observation -> residuals at the best values, in standard deviations; NaN where data are unused, or limits."""
        return {name: one.residual for name, one in self._judged.items()}

    @cached_property
    def log_likelihoods(self) -> dict[str, np.ndarray]:
        """Observation -> log density of each of its data at the best values, 0 where unused."""
        return {name: one.log_likelihood for name, one in self._judged.items()}

    @cached_property
    def goodness(self) -> dict[str, Goodness]:
        """Observation -> whether its best values describe it."""
        free = sum(np.size(value) for value in self.posterior.best.values())
        return goodness({name: self._seen(name) for name in self.predictions}, free)

    def _seen(self, name: str) -> Seen:
        one, light, fitted = self.filled[name], self.predictions[name].light, self._judged[name]
        labels = None if one.bins is None else np.asarray(one.bins.labels)
        maps = tuple((plane.name, plane.index) for plane in planes(one))
        layout = Layout(np.asarray(one.used), np.asarray(light), labels, maps, one.pixels is not None)
        return Seen(layout, fitted, self._stated.get(name, fitted), absorbed(one))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the posterior, and what its best values do not describe or extrapolate; worst first."""
        return worst_first(
            [*self.posterior.findings, *findings(self.goodness), *extrapolated(self.filled[SCENE], self._shown)]
        )

    @property
    def _shown(self) -> dict[str, Any]:
        return {name: self.filled[name] for name in self.predictions}

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

    @cached_property
    def listed(self) -> list[Parameter]:
        """Those that a table gives a row: all but coefficients."""
        return [one for one in self.parameters if self.meanings[one.site].role != COEFFICIENT]

    @cached_property
    def counted(self) -> dict[str, list[Parameter]]:
        """The others, by the parameter that they are elements of."""
        rest = [one for one in self.parameters if self.meanings[one.site].role == COEFFICIENT]
        return {site: list(those) for site, those in groupby(rest, lambda one: one.site)}

    def once(self, compute: Callable[[View, *Ts], T], *arguments: *Ts) -> T:
        """`compute(view, *arguments)`, kept: the second call with equal arguments returns what the first one did."""
        key = (compute, *arguments)
        if key not in self._kept:
            self._kept[key] = compute(self, *arguments)
        return self._kept[key]


def view(
    posterior: Posterior | View,
    *,
    observation: str | None = None,
    source: str | None = None,
    prop: str | None = None,
    site: str | None = None,
) -> View:
    """A view of a posterior; a view is returned as it is.

    Args:
        posterior: of a fit, or a view of it.
        observation: name of one that is asked for; None for none.
        source: likewise.
        prop: of a property that this source carries; with a source alone.
        site: of a parameter.

    Raises:
        InputError: naming the nearest known name, if the fit has none of that name.
    """
    seen = posterior if isinstance(posterior, View) else View(posterior)
    if observation is not None:
        look_up("observation", observation, seen.posterior.plans)
    if source is not None:
        carries = look_up("source", source, seen.posterior.tree[SCENE].sources).carries
        if prop is not None:
            look_up("prop", prop, carries)
    if site is not None:
        look_up("site", site, seen.posterior.draws)
    return seen


@program()
def _log_priors(packed: dict[str, Packed], draws: dict[str, Any]) -> dict[str, jax.Array]:
    return {name: prior.log_prob(draws[name]) for name, prior in unpacked(packed).items()}
