"""The hierarchical linear model of a quantity against covariates, with intrinsic scatter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import logsumexp

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import worst_first
from jaxmetal.population.covariates import Design, along, design
from jaxmetal.population.galaxies import Covariate, Draws, Measured, require_same_galaxies
from jaxmetal.population.link import positive
from jaxmetal.population.relation import Relation
from jaxmetal.population.reuse import Grains, effective_numbers, gathered, judge, smoothed
from jaxmetal.population.sampler import Run, sample
from jaxmetal.population.scatter import log_density
from jaxmetal.population.selection import WITHOUT, Selection

CENTRAL, SCATTER, NU = "central", "scatter", "nu"

PILOT = Run(chains=2, warmup=300, draws=500, target_accept=0.8, seed=1)
"""With Gaussians in the places of stored draws, which are many times slower: it finds scales and correlations."""

STEPS_WITH_PILOT = 100
"""Warm-up steps per chain that are left then, for the step size."""


def fit(
    quantity: Measured | Draws,
    covariates: Mapping[str, Covariate],
    *,
    robust: bool = False,
    selection: Selection | None = None,
    priors: Mapping[str, Any] | None = None,
    run: Run = Run(),  # noqa: B008 - immutable
) -> Relation:
    """Fits y = central + sum_j slope_j (x_j - pivot_j) + scatter to a sample of galaxies.

    The true quantity of every galaxy is marginalised: in closed form for values with errors (`Measured`), by
    a mean over stored draws with the prior of their fits divided out for posteriors (`Draws`; Hogg, Myers & Bovy 2010,
    ApJ 725, 2166, eq. 9), p(d_i | theta) ~ 1/K sum_k p(y_ik | x_i, theta) / prior(y_ik), each draw as wide as
    `reuse.smoothed` says, which adds to the scatter in quadrature (exactly so if that is Gaussian). What is left is
    sampled by NUTS: "central", "slope.<covariate>", "scatter" and, if robust, "nu".

    Args:
        quantity: of every galaxy.
        covariates: name -> `Covariate`, same galaxies.
        robust: the scatter has the tails of a Student-t, its degrees of freedom free: nu ~ Gamma(2, 0.1) (Juarez &
            Steel 2010, J. Bus. Econ. Stat. 28, 52); "scatter" then is its scale.
        selection: which galaxies could enter; None is stated in the result.
        priors: site -> NumPyro distribution, in place of `default_priors`.
        run: how to sample.

    Raises:
        InputError: if shapes do not match, a prior's name is unknown, or a selection comes with uncertain covariates or
            without draws, or leaves some of the galaxies out.
    """
    require_same_galaxies(quantity, covariates)
    given = design(covariates)
    chosen = chosen_priors(quantity, covariates, priors, robust)
    _require_selectable(selection, quantity, covariates, given)
    known, pilot = tuple(covariates.items()), None
    data = gathered(smoothed(quantity)) if isinstance(quantity, Draws) else quantity
    # A selection may move the posterior far from where its sample alone would put it.
    if isinstance(data, Grains) and selection is None:
        gaussian = Measured(values=data.values[:, -1], sigma=data.width[:, -1])
        pilot, _ = sample(_model, (gaussian, given, known, chosen, None), PILOT, starts(chosen, given))
        run = run._replace(warmup=min(run.warmup, STEPS_WITH_PILOT))
    draws, findings = sample(_model, (data, given, known, chosen, selection), run, starts(chosen, given), pilot=pilot)
    numbers = None
    if isinstance(quantity, Draws):
        numbers = effective_numbers(quantity, *_expected(draws, given, covariates), draws[SCATTER], draws.get(NU))
        findings += judge(numbers, quantity.values.shape[1])
    return Relation(
        quantity=quantity,
        covariates=dict(covariates),
        draws=draws,
        method="importance" if isinstance(quantity, Draws) else "marginal",
        robust=robust,
        selection=WITHOUT if selection is None else selection.description,
        effective_numbers=numbers,
        findings=worst_first([*findings, *quantity.findings]),
        seed=run.seed,
    )


def default_priors(quantity: Measured | Draws, covariates: Mapping[str, Covariate]) -> dict[str, Any]:
    """Wide priors in the sample's own units, with s the standard deviation of its values (or their error, if larger).

    slope_j ~ N(0, 5 s / sd(x_j)), scatter ~ half-normal(2 s), nu ~ Gamma(2, 0.1), and central ~ N(mean, 5 s (1 + sum_j
    (pivot_j - mean(x_j))^2 / sd(x_j)^2)^(1/2)): wherever the pivots are, the slopes stay free.
    """
    values, sigma = quantity.points()
    spread = max(float(values.std()), float(np.median(sigma)), 1e-12)
    widths = {name: max(float(c.values.std()), 1e-12) for name, c in covariates.items()}
    slopes = {slope_of(name): dist.Normal(0.0, 5.0 * spread / width) for name, width in widths.items()}
    away = sum(((c.pivot - float(c.values.mean())) / widths[name]) ** 2 for name, c in covariates.items())
    return {
        CENTRAL: dist.Normal(float(values.mean()), 5.0 * spread * float(np.sqrt(1.0 + away))),
        **slopes,
        SCATTER: dist.HalfNormal(2.0 * spread),
        NU: dist.Gamma(2.0, 0.1),
    }


def slope_of(covariate: str) -> str:
    """Name of the site that is the change of the quantity per unit of a covariate."""
    return f"slope.{covariate}"


def hyper_parameters(priors: Mapping[str, Any]) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array | None]:
    """Inside a NumPyro model: central value, slopes (D,), scatter, and degrees of freedom or None."""
    drawn = {name: positive(name, prior) for name, prior in priors.items()}
    slopes = jnp.stack([value for name, value in drawn.items() if name.startswith("slope.")])
    return drawn[CENTRAL], slopes, drawn[SCATTER], drawn.get(NU)


def starts(priors: Mapping[str, Any], given: Design) -> dict[str, Any]:
    """Where chains start: the middle of the priors, no slope, and the sample's own distribution of covariates."""
    start = {name: prior.mean for name, prior in priors.items()}
    if given.variance is None:
        return start
    rows, columns = given.limited
    if rows.size:
        start["covariate.limited"] = given.x[rows, columns] - 0.3 * given.sides
    return start | {"covariate.mean": given.x.mean(axis=0), "covariate.sd": given.x.std(axis=0)}


def _model(
    quantity: Measured | Grains,
    given: Design,
    covariates: tuple[tuple[str, Covariate], ...],
    priors: Mapping[str, Any],
    selection: Selection | None,
) -> None:
    central, slopes, scatter, nu = hyper_parameters(priors)
    shift, blur = along(given, slopes)
    mean = central + shift
    known = {name: covariate.values for name, covariate in covariates}
    if isinstance(quantity, Measured):
        sides, own = (jnp.asarray(quantity.sigma), 0.0) if quantity.lopsided else (None, quantity.sigma**2)
        variance = jnp.broadcast_to(own + (0.0 if blur is None else blur), mean.shape)
        terms = log_density(quantity.values - mean, scatter, variance, nu, sides)
    else:
        log_ratio = -quantity.log_prior
        if selection is not None:
            log_ratio = log_ratio + selection.log_probability(quantity.values, known)
        spread = None if blur is None else blur[:, None]
        wide = jnp.hypot(scatter, quantity.width)
        density = log_density(jnp.asarray(quantity.values) - mean[:, None], wide, spread, nu)
        terms = logsumexp(density + log_ratio, axis=1)
    if selection is not None:
        entered = {name: jnp.asarray(values) for name, values in known.items()}
        measured = float(np.min(quantity.values)), float(np.max(quantity.values))
        terms = terms - selection.log_share(mean, scatter, nu, entered, measured)
    numpyro.factor("galaxies", jnp.sum(terms))


def chosen_priors(
    quantity: Measured | Draws, covariates: Mapping[str, Covariate], given: Mapping[str, Any] | None, robust: bool
) -> dict[str, Any]:
    """The default priors with the user's in their places, those of the model at hand."""
    chosen = default_priors(quantity, covariates)
    if not robust:
        del chosen[NU]
    for name, prior in (given or {}).items():
        if name not in chosen:
            raise InputError(f"priors: there is no parameter '{name}'; the parameters are {', '.join(chosen)}.")
        if not isinstance(prior, dist.Distribution):
            raise InputError(
                f"priors: expected a NumPyro distribution for '{name}', found {prior!r}; write e.g. Normal(0, 0.1)."
            )
    return chosen | dict(given or {})


def _require_selectable(
    selection: Selection | None, quantity: Measured | Draws, covariates: Mapping[str, Covariate], given: Design
) -> None:
    if selection is None:
        return
    if given.variance is not None:
        raise InputError(
            "A selection function needs covariates without errors, found uncertain ones; give them without sigma."
        )
    if not isinstance(quantity, Draws):
        raise InputError(
            "A selection function needs draws of the quantity, found values with errors; "
            "give Draws(values=..., log_prior=0.0) of them."
        )
    entered = selection.lets_in(quantity.values, {name: covariate.values for name, covariate in covariates.items()})
    if not entered.all():
        raise InputError(
            f"selection: expected a probability above 0 at some draws of each galaxy, found 0 at all of "
            f"{np.sum(~entered)} of {entered.size} galaxies, which cannot be in the sample then; correct it."
        )


def _expected(
    draws: Mapping[str, np.ndarray], given: Design, covariates: Mapping[str, Covariate]
) -> tuple[np.ndarray, np.ndarray]:
    """Expected quantity of every galaxy at every draw, (chains, draws, n), and the variance that covariates add."""
    slopes = np.stack([draws[slope_of(name)] for name in covariates], axis=-1)
    blur = np.zeros(1) if given.variance is None else np.einsum("cdj,nj->cdn", slopes**2, given.variance)
    return draws[CENTRAL][..., None] + slopes @ given.x.T, blur
