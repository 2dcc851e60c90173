"""What priors say in a few numbers: medians, spreads and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, ExpandedDistribution, Independent, Uniform

from jaxmetal.edge.arrays import LARGEST
from jaxmetal.edge.errors import InputError
from jaxmetal.machine import program
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.prior.tree import fill, sites, strong

HALVINGS = 100
"""Of an interval around a median."""
UNKNOWN = (NotImplementedError, AttributeError, TypeError, ImportError)
"""What NumPyro's distributions raise where they do not know what they are asked."""


def typical(tree: Any) -> Any:
    """The tree filled with the median of each prior (see `median`).

    A part of a tree whose ties have their distributions elsewhere is taken out of the whole one afterwards.

    Raises:
        InputError: if a median is no number that can be computed with.
    """
    middles = medians(sites(tree))
    for name, middle in middles.items():
        size = float(np.max(np.abs(middle), initial=0.0))
        if not size <= LARGEST:
            raise InputError(
                f"The prior of '{name}' must have a median of at most {LARGEST:g}, but it is {size:g}; correct its "
                "parameters (those of LogNormal are natural logarithms)."
            )
    return fill(tree, middles)


def medians(priors: Mapping[str, Distribution]) -> dict[str, np.ndarray]:
    """Median of each prior, element by element: see `median`."""
    return {name: middle for name, (middle, _) in _summaries(priors).items()}


def spreads(priors: Mapping[str, Distribution]) -> dict[str, float]:
    """Standard deviation of each prior; for tails so heavy that there is none, half the width of the central 68 %."""
    found = {name: float(np.sqrt(np.mean(variance))) for name, (_, variance) in _summaries(priors).items()}
    return {name: sd if np.isfinite(sd) else _half_width(priors[name]) for name, sd in found.items()}


def _half_width(prior: Distribution) -> float:
    low, high = np.quantile(np.asarray(prior.sample(jax.random.key(0), (10_000,))), [0.16, 0.84], axis=0)
    return 0.5 * float(np.mean(high - low))


def _summaries(priors: Mapping[str, Distribution]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Median and variance of each prior."""
    packed = strong({name: Packed.of(prior) for name, prior in priors.items()})
    return jax.tree.map(np.asarray, _medians(packed)) if packed else {}


# One program, instead of dozens for its single operations.
@program()
def _medians(packed: dict[str, Packed]) -> dict[str, tuple[jax.Array, jax.Array]]:
    return {name: (median(prior), _variance(prior)) for name, prior in unpacked(packed).items()}


def _variance(prior: Distribution) -> jax.Array:
    """NaN where it is not known."""
    try:
        return jnp.asarray(prior.variance)
    except UNKNOWN:
        return jnp.asarray(jnp.nan)


def median(prior: Distribution) -> jax.Array:
    """Median of a prior, element by element: by its quantile or distribution function, or else that of 101 draws."""
    base = _of_one(prior)
    for way in (_by_quantile, _by_bisection):
        try:
            return jnp.broadcast_to(way(base), prior.shape())
        except UNKNOWN:
            continue
    return jnp.median(prior.sample(jax.random.key(0), (101,)), axis=0)


def _by_quantile(prior: Any) -> jax.Array:
    return jnp.asarray(prior.icdf(jnp.asarray(0.5)))


def _by_bisection(prior: Any) -> jax.Array:
    """Between the least and the largest of 101 draws, which are on two sides of it but for a chance of 2^-100."""
    drawn = prior.sample(jax.random.key(0), (101,))

    def halved(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        below = prior.cdf(middle) < 0.5
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halved, (drawn.min(axis=0), drawn.max(axis=0)))
    return 0.5 * (low + high)


def with_own_bounds(prior: Distribution) -> Distribution:
    """A uniform prior of many numbers with bounds for each, in whatever way it was made of one; others as they are."""
    base = _of_one(prior)
    if type(base) is not Uniform or not prior.shape():
        return prior
    return Uniform(*(np.broadcast_to(end, prior.shape()) for end in (base.low, base.high)))


def _of_one(prior: Distribution) -> Any:
    """What a prior of many numbers was made from."""
    base: Any = prior
    while isinstance(base, (ExpandedDistribution, Independent)):
        base = base.base_dist
    return base


def bounds(prior: Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of a prior's support, infinite where it has none."""
    support: Any = prior.support
    low = getattr(support, "lower_bound", -np.inf)
    high = getattr(support, "upper_bound", np.inf)
    return np.asarray(low, float), np.asarray(high, float)
