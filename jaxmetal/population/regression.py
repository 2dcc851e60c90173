"""Linear regression with errors in both variables and intrinsic scatter."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import logsumexp

from jaxmetal.edge.arrays import floats, require_count
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import worst_first
from jaxmetal.population.columns import alike
from jaxmetal.population.galaxies import Covariate, Measured, require_same_galaxies
from jaxmetal.population.relation import Relation
from jaxmetal.population.sampler import Run, sample
from jaxmetal.population.selection import WITHOUT

LONG = Run(warmup=1000, target_accept=0.95)


def regress(
    quantity: Measured,
    covariate: Covariate,
    *,
    name: str = "x",
    components: int = 3,
    error_correlation: Any = 0.0,
    run: Run = LONG,
) -> Relation:
    """Fits y = central + slope (x - pivot) + scatter where x and y have errors, as linmix does.

    The true x are drawn from a mixture of K Gaussians, pi_k N(mu_k, tau_k^2), and both they and the true y are
    marginalised in closed form (Kelly 2007, ApJ 665, 1489, eqs 16-24): given k, observed (x, y) are normal about (mu_k,
    central + slope mu_k) with covariance [[tau_k^2 + e_x^2, slope tau_k^2 + e_xy], [., slope^2 tau_k^2 + scatter^2 +
    e_y^2]]. The priors are his (sect. 5.1): flat in central, slope and scatter^2; pi ~ Dirichlet(1, ..., 1); mu_k ~
    N(mu_0, u^2), mu_0 flat within the range of x; tau_k^2 and u^2 ~ scaled inverse chi^2 (1 degree of freedom, w^2);
    w^2 flat.

    Args:
        quantity: y with Gaussian errors, e.g. 12 + log(O/H).
        covariate: x with errors, e.g. log mass; no limits.
        name: of the covariate in the result: "slope.<name>".
        components: K.
        error_correlation: of the errors of x and y, a number or (n,).
        run: how to sample.

    Raises:
        InputError: if the numbers of galaxies differ, x has limits or one value only, there are no components, or a
            correlation is not within (-1, 1).
    """
    n = _require_measured(quantity, covariate, name, components)
    correlation = _within_one(error_correlation, n)
    x_error = np.zeros(n) if covariate.sigma is None else covariate.sigma
    shift, scale = float(covariate.values.mean()), float(covariate.values.std())
    tilt, level = np.polyfit(covariate.values - shift, quantity.values, 1)
    height = float(np.std(quantity.values - level - tilt * (covariate.values - shift)))
    # In units of the sample's own spread: the flat priors stay flat, and the sampler finds its steps.
    x = (covariate.values - shift) / scale
    y = (quantity.values - level - tilt * (covariate.values - shift)) / height
    e_x, e_y = x_error / scale, quantity.sigma / height
    # y was tilted by a line of the observed x, whose error it has now, too.
    lean = tilt * scale / height
    cross = correlation * e_x * e_y - lean * e_x**2
    e_y2 = e_y**2 - 2.0 * lean * correlation * e_x * e_y + (lean * e_x) ** 2
    start: dict[str, Any] = {"alpha": 0.0, "beta": 0.0, "scatter2": 0.5, "w2": 0.5, "u2": 1.0, "mu0": 0.0}
    start |= {"mu": np.linspace(-1.0, 1.0, components), "tau2": np.full(components, 0.5)}
    start["pi"] = np.full(components, 1.0 / components)
    drawn, findings = sample(_model, (x, y, e_x**2, e_y2, cross, components), run, start)
    slope = tilt + drawn["beta"] * height / scale
    central = level + drawn["alpha"] * height + slope * (covariate.pivot - shift)
    return Relation(
        quantity=quantity,
        covariates={name: covariate},
        draws={"central": central, f"slope.{name}": slope, "scatter": np.sqrt(drawn["scatter2"]) * height},
        method="regression",
        robust=False,
        selection=WITHOUT,
        findings=worst_first([*findings, *quantity.findings]),
        seed=run.seed,
    )


def _require_measured(quantity: Measured, covariate: Covariate, name: str, components: int) -> int:
    """How many galaxies there are, both of whose numbers are values with Gaussian errors."""
    n = require_same_galaxies(quantity, {name: covariate})
    if not isinstance(quantity, Measured):
        raise InputError("quantity: the regression needs values with errors, found draws; give them as Measured.")
    if quantity.lopsided:
        raise InputError(
            "quantity: the regression needs a Gaussian error of each value, found two sides; give one, or use `fit`."
        )
    if covariate.limited:
        raise InputError("The regression needs values of x, found limits; leave those galaxies out or use `fit`.")
    require_count("components", components, 1)
    return n


def _within_one(error_correlation: Any, n: int) -> np.ndarray:
    correlation = alike("error_correlation", floats("error_correlation", error_correlation), (n,))
    if not (np.abs(correlation) < 1.0).all():
        raise InputError(
            f"error_correlation: expected numbers within (-1, 1), found {error_correlation}; correct them."
        )
    return correlation


def _model(x: Any, y: Any, e_x2: Any, e_y2: Any, e_xy: Any, components: int) -> None:
    real, positive = dist.constraints.real, dist.constraints.positive
    alpha = numpyro.sample("alpha", dist.ImproperUniform(real, (), ()))
    beta = numpyro.sample("beta", dist.ImproperUniform(real, (), ()))
    scatter2 = numpyro.sample("scatter2", dist.ImproperUniform(positive, (), ()))
    w2 = numpyro.sample("w2", dist.ImproperUniform(positive, (), ()))
    u2 = numpyro.sample("u2", dist.InverseGamma(0.5, 0.5 * w2))
    mu0 = numpyro.sample("mu0", dist.Uniform(np.min(x), np.max(x)))
    mu = numpyro.sample("mu", dist.Normal(mu0, jnp.sqrt(u2)).expand([components]).to_event(1))
    tau2 = numpyro.sample("tau2", dist.InverseGamma(0.5, 0.5 * w2).expand([components]).to_event(1))
    pi = numpyro.sample("pi", dist.Dirichlet(jnp.ones(components)))
    x, y, e_x2, e_y2, e_xy = (jnp.asarray(a)[:, None] for a in (x, y, e_x2, e_y2, e_xy))
    x_variance, cross = tau2 + e_x2, beta * tau2 + e_xy
    expected = alpha + beta * mu + cross / x_variance * (x - mu)
    y_variance = beta**2 * tau2 + scatter2 + e_y2 - cross**2 / x_variance
    terms = _log_normal(x - mu, x_variance) + _log_normal(y - expected, y_variance)
    numpyro.factor("galaxies", jnp.sum(logsumexp(jnp.log(pi) + terms, axis=1)))


def _log_normal(residual: Any, variance: Any) -> Any:
    return -0.5 * (residual**2 / variance + jnp.log(2.0 * jnp.pi * variance))
