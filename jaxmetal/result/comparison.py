"""Numbers for comparing models: chi2, BIC, evidence, PSIS-LOO."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.machine import program
from jaxmetal.model import pointwise_log_likelihood
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.predicted import evenly
from jaxmetal.result.views import View, view


class Criteria(NamedTuple):
    """Of one fit.

    Attributes:
        n_data: data used.
        n_parameters: free numbers.
        chi2: per observation, at the MAP: sum ((data - model) / sigma)^2 over used data.
        log_likelihood: at the MAP, normalised.
        bic: n_parameters ln n_data - 2 ln L.
        log_evidence: natural logarithm; see `Posterior`.
    """

    n_data: int
    n_parameters: int
    chi2: dict[str, float]
    log_likelihood: float
    bic: float
    log_evidence: float


def criteria(posterior: Posterior | View) -> Criteria:
    """chi2, likelihood, BIC and evidence."""
    seen = view(posterior)
    total = float(sum(np.sum(values) for values in seen.log_likelihoods.values()))
    n_data, n_parameters = sum(seen.counts.values()), len(seen.parameters)
    bic = n_parameters * float(np.log(n_data)) - 2.0 * total
    return Criteria(n_data, n_parameters, seen.chi2, total, bic, seen.posterior.log_evidence)


def residual(posterior: Posterior | View, name: str) -> np.ndarray:
    """(data - model) / sigma at the MAP, NaN where data are not used."""
    return view(posterior, observation=name).residuals[name]


def pointwise(posterior: Posterior | View, name: str, count: int = 400) -> np.ndarray:
    """Log-likelihood of every used datum for evenly spaced draws, shape (1, draws, data): what PSIS-LOO needs.

    Of `count` draws, or of all if there are fewer: none counts twice.

    Raises:
        InputError: if there are no draws, or none is asked for.
    """
    seen = view(posterior, observation=name)
    if not seen.posterior.sampled:
        raise InputError(
            f"Expected draws for cross-validation, found the best value alone (method '{seen.posterior.method}'); "
            "fit by a method with draws."
        )
    posterior, flat = seen.posterior, seen.posterior.flat()
    index = evenly(flat, count)
    terms = _pointwise_many(
        seen.skeleton, {name: posterior.plans[name]}, {n: jnp.asarray(v[index]) for n, v in flat.items()}
    )[name]
    return np.asarray(terms)[None][:, :, np.asarray(posterior.tree[name].used)]


class Loo(NamedTuple):
    """Leave-one-out cross-validation of one observation.

    Attributes:
        elpd: expected log predictive density, summed over data.
        standard_error: of `elpd`.
        p_loo: effective number of parameters.
        k_hat: largest Pareto shape; above 0.7 single data decide the fit and the estimate is poor.
    """

    elpd: float
    standard_error: float
    p_loo: float
    k_hat: float


def loo(posterior: Posterior | View, name: str) -> Loo:
    """PSIS-LOO of one observation (Vehtari, Gelman & Gabry 2017); its pointwise terms must be independent.

    Raises:
        InputError: if there are no draws.
    """
    from arviz_stats.base import array_stats

    elpd, k_hat, p_loo = array_stats.loo(np.moveaxis(pointwise(posterior, name), 2, 0))
    return Loo(
        float(np.sum(elpd)), float(np.sqrt(elpd.size * np.var(elpd))), float(np.sum(p_loo)), float(np.max(k_hat))
    )


@program()
def _pointwise_many(skeleton: Any, plans: Any, values: Any) -> dict[str, jax.Array]:
    return jax.lax.map(lambda draw: pointwise_log_likelihood(fill(skeleton, draw), plans), values)
