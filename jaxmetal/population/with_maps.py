"""Galaxies and their population in one model, through the likelihoods of their maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import worst_first
from jaxmetal.fit.peaks import find_peaks
from jaxmetal.fit.problem import Problem, constrain, log_density, make, parts
from jaxmetal.fit.problem import stack as side_by_side
from jaxmetal.fit.program import signature
from jaxmetal.fit.seeds import branch, seed_of
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.packed import Packed
from jaxmetal.population.columns import alike
from jaxmetal.population.covariates import Design, along, design
from jaxmetal.population.galaxies import Covariate, Measured, require_same_galaxies
from jaxmetal.population.linear import chosen_priors, hyper_parameters, starts
from jaxmetal.population.relation import Relation
from jaxmetal.population.sampler import Run, sample
from jaxmetal.population.scatter import log_density as log_scatter
from jaxmetal.population.selection import WITHOUT

LEAST = 0.01
"""Of the precision of a galaxy's quantity, that its prior may leave to the data."""
FLAT = dist.ImproperUniform(dist.constraints.real, (), ())
"""In the place of the prior of the quantity's parameter: its number in the unconstrained vector is its value."""


class GalaxyStack(NamedTuple):
    """Galaxies of one shape, side by side, each with the Gaussian that its data and its other priors allow.

    Attributes:
        problem: a `Problem` whose arrays have the galaxies in front; the quantity's parameter is `FLAT` in it.
        site: name of the quantity's parameter.
        place: its index in the unconstrained vector.
        scale: parameter per unit of the quantity, (n,): kpc per arcsec for a gradient in dex/kpc.
        mode: unconstrained vectors with the quantity's parameter first, whose prior is divided out, (n, d).
        factor: lower-triangular factors of their covariances, likewise, (n, d, d).
    """

    problem: Problem
    site: str
    place: int
    scale: np.ndarray
    mode: np.ndarray
    factor: np.ndarray

    def measured(self, label: str, unit: str) -> Measured:
        """The galaxies one by one, as values with Gaussian errors, without the prior of the quantity."""
        values, sigma = self.mode[:, 0] / self.scale, self.factor[:, 0, 0] / np.abs(self.scale)
        return Measured(values=values, sigma=sigma, label=label, unit=unit)


def stack(
    galaxies: Sequence[tuple[Any, Mapping[str, Any]]],
    site: str,
    scale: Any = 1.0,
    *,
    sampling: Mapping[str, Sampling] | None = None,
    seed: int = 0,
) -> GalaxyStack:
    """Prepares galaxies for `joint`: each is brought to its own maximum.

    Args:
        galaxies: (prior scene, observations), all of the same structure, shapes and kinds of prior.
        site: path of the quantity's parameter, e.g. "scene.sources.disc.carries.metallicity.profile.slope"; a number
            whose prior is open on both sides. Its prior guides the maximum only, and is divided out.
        scale: parameter per unit of the quantity, a number or (n,).
        sampling: observation -> sample grid, where the automatic choice is not wanted.
        seed: of the starts.

    Raises:
        InputError: if shapes differ, or the site is not free or is bounded.
    """
    problems = [make(scene, observations, sampling) for scene, observations in galaxies]
    _require_alike(problems, site)
    together, count = side_by_side(problems), len(problems)
    peaks = []
    together, ends = find_peaks(together, [branch(seed_of(seed), k) for k in range(count)])
    for found in ends:
        if isinstance(found, InputError):
            raise found
        peaks.append(found.gaussian)
    place = parts(problems[0].sites)[site].start
    modes, factors = (np.stack([np.asarray(getattr(peak, name)) for peak in peaks]) for name in ("mode", "factor"))
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf)[:count], together)
    values, stretch = jax.vmap(partial(_value, site, place))(single, jnp.asarray(modes))
    modes[:, place], factors[:, place] = values, factors[:, place] * np.asarray(stretch)[:, None]
    order = [place, *(k for k in range(modes.shape[1]) if k != place)]
    covariance = (factors @ np.swapaxes(factors, 1, 2))[:, order][:, :, order]
    prior = jax.vmap(partial(_log_prior, site))(single, values)
    mode, covariance = _without_prior(modes[:, order], covariance, *map(np.asarray, prior))
    return GalaxyStack(
        problem=dataclasses.replace(single, priors={**single.priors, site: Packed.of(FLAT)}),
        site=site,
        place=place,
        scale=alike("scale", floats("scale", scale), (count,)),
        mode=mode,
        factor=np.linalg.cholesky(covariance),
    )


def _value(site: str, place: int, problem: Problem, vector: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The quantity's parameter, and its derivative with respect to its own number in the vector."""
    along_it = jnp.zeros_like(vector).at[place].set(1.0)
    return jax.jvp(lambda at: constrain(problem.sites, at)[0][site], (vector,), (along_it,))


def _log_prior(site: str, problem: Problem, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """First and second derivative of the log prior of the quantity's parameter."""
    slope = jax.grad(problem.sites[site].log_prob)
    return slope(value), jax.grad(slope)(value)


def _without_prior(
    mode: np.ndarray, covariance: np.ndarray, slope: np.ndarray, bend: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gaussians over one whose logarithm has this slope and bend along the first number at the mode.

    Where the prior decides nearly alone, what is left has a variance of 100 times that of both.

    Args:
        mode: (n, d).
        covariance: (n, d, d).
        slope: (n,).
        bend: (n,), negative for a Gaussian.
    """
    along = covariance[:, 0]
    left = np.maximum(1.0 + bend * along[:, 0], LEAST)
    share = (1.0 - left) / (left * along[:, 0])
    wider = covariance + share[:, None, None] * along[:, :, None] * along[:, None, :]
    return mode - (slope / left)[:, None] * along, wider


def joint(
    galaxies: GalaxyStack,
    covariates: Mapping[str, Covariate],
    *,
    robust: bool = False,
    priors: Mapping[str, Any] | None = None,
    label: str = "gradient",
    unit: str = "dex/kpc",
    run: Run = Run(),  # noqa: B008 - immutable
) -> Relation:
    """The model of `linear.fit` with every galaxy's parameters sampled along, from the likelihood of its data.

    The population is the prior of each galaxy's quantity y. Neither a centred nor a non-centred parametrisation suits
    galaxies of good and of poor data at once; here y = c + v^(1/2) z with 1/v = 1/s^2 + 1/scatter^2 and
    c / v = m / s^2 + expected / scatter^2, from the Gaussian (m, s) that the galaxy's data allow, and z is sampled:
    for Gaussian data it is a standard normal whatever the scatter. The other parameters follow from y by the same
    Gaussian.

    Args:
        galaxies: see `stack`.
        covariates: name -> `Covariate`.
        robust: as `linear.fit`.
        priors: as `linear.fit`.
        label: of the quantity.
        unit: of the quantity.
        run: how to sample.
    """
    quantity = galaxies.measured(label, unit)
    require_same_galaxies(quantity, covariates)
    given = design(covariates)
    chosen = chosen_priors(quantity, covariates, priors, robust)
    n, size = galaxies.mode.shape
    start = starts(chosen, given) | {"z": np.zeros(n), "others": np.zeros((n, size - 1))}
    dense = (tuple(name for name in start if name not in ("z", "others")),)
    draws, findings = sample(_model, (galaxies, given, chosen), run, start, dense)
    return Relation(
        quantity=quantity,
        covariates=dict(covariates),
        draws={name: values for name, values in draws.items() if name not in ("z", "others")},
        method="joint",
        robust=robust,
        selection=WITHOUT,
        findings=worst_first(findings),
        seed=run.seed,
    )


def _model(galaxies: GalaxyStack, given: Design, priors: Mapping[str, Any]) -> None:
    n, size = galaxies.mode.shape
    central, slopes, scatter, nu = hyper_parameters(priors)
    shift, blur = along(given, slopes)
    expected = central + shift
    z = numpyro.sample("z", dist.ImproperUniform(dist.constraints.real, (), (n,)))
    others = numpyro.sample("others", dist.ImproperUniform(dist.constraints.real, (), (n, size - 1)))

    own, own_error = galaxies.mode[:, 0] / galaxies.scale, galaxies.factor[:, 0, 0] / jnp.abs(galaxies.scale)
    wide = scatter**2 + (0.0 if blur is None else blur)
    variance = 1.0 / (1.0 / own_error**2 + 1.0 / wide)
    y = numpyro.deterministic("quantity", variance * (own / own_error**2 + expected / wide) + jnp.sqrt(variance) * z)

    parameter = y * galaxies.scale
    first = (parameter - galaxies.mode[:, 0]) / galaxies.factor[:, 0, 0]
    white = jnp.concatenate([first[:, None], others], axis=1)
    vectors = galaxies.mode + jnp.einsum("nij,nj->ni", galaxies.factor, white)
    order = np.argsort([galaxies.place, *(k for k in range(size) if k != galaxies.place)])
    likelihood = jax.vmap(log_density)(galaxies.problem, jnp.asarray(vectors)[:, order])
    numpyro.factor("galaxies", jnp.sum(likelihood + 0.5 * jnp.log(variance)))
    numpyro.factor("population", jnp.sum(log_scatter(y - expected, scatter, blur, nu)))


def _require_alike(problems: Sequence[Problem], site: str) -> None:
    first = problems[0]
    if site not in first.sites:
        raise InputError(f"site: '{site}' is not free; the free parameters are {', '.join(first.sites)}.")
    prior: Any = first.sites[site]
    if prior.shape() != () or prior.support is not dist.constraints.real:
        raise InputError(
            f"site: the prior of '{site}' must be of one number and open on both sides, found "
            f"{type(prior).__name__} of shape {prior.shape()}; use e.g. Normal(0, 0.5)."
        )
    for k, other in enumerate(problems):
        if signature(other) != signature(first):
            raise InputError(
                f"Galaxy {k} differs from the first in structure or shape; fit galaxies of one shape together."
            )
