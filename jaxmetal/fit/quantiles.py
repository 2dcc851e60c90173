"""Priors as functions of a standard normal number: x = F^-1(Phi(z)), with F the cumulative distribution of x.

Every formula works from whichever tail is near, so that neither end of a prior is lost in rounding: Phi(-z) is known
to full relative precision where 1 - Phi(z) is not. To add a family: a function below, registered for its class. What
has no quantiles in closed form (gamma, beta, Student's t, priors of several numbers that are not independent) has no
line here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import singledispatch
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import erf, erfc, erfinv, log_ndtr, ndtr, ndtri
from numpyro.distributions.transforms import Transform
from numpyro.distributions.truncated import (
    LeftTruncatedDistribution,
    RightTruncatedDistribution,
    TwoSidedTruncatedDistribution,
)

from jaxmetal.numerics.tails import LEAST, from_tails, hazard, least, near


class Quantiles(NamedTuple):
    """A prior as a function of a standard normal number.

    Attributes:
        value: z -> x, element by element.
        position: x -> z, the inverse.
    """

    value: Callable[[jax.Array], jax.Array]
    position: Callable[[jax.Array], jax.Array]


@singledispatch
def quantiles(prior: object) -> Quantiles | None:
    """The quantiles of a prior whose numbers are independent of each other; None where they have no closed form."""
    return None


@quantiles.register
def _(prior: dist.Independent | dist.ExpandedDistribution) -> Quantiles | None:
    return quantiles(prior.base_dist)


@quantiles.register
def _(prior: dist.TransformedDistribution) -> Quantiles | None:
    base = quantiles(prior.base_dist)
    if base is None or not all(_monotone(one) for one in prior.transforms):
        return None

    def value(z: jax.Array) -> jax.Array:
        x = base.value(_sign(prior) * z)
        for one in prior.transforms:
            x = one(x)
        return x

    def position(x: jax.Array) -> jax.Array:
        for one in reversed(prior.transforms):
            x = one.inv(x)
        return _sign(prior) * base.position(x)

    return Quantiles(value, position)


def _sign(prior: dist.TransformedDistribution) -> Any:
    """1 where all transforms together rise, -1 where they fall."""
    return math.prod(one.sign for one in prior.transforms)


def _monotone(transform: Transform) -> bool:
    """Whether it acts on each number alone and says in which direction."""
    try:
        return transform.domain.event_dim == transform.codomain.event_dim == 0 and transform.sign is not None
    except NotImplementedError:
        return False


@quantiles.register
def _(prior: dist.Normal) -> Quantiles:
    return Quantiles(lambda z: prior.loc + prior.scale * z, lambda x: (x - prior.loc) / prior.scale)


@quantiles.register
def _(prior: dist.Uniform) -> Quantiles:
    def value(z: jax.Array) -> jax.Array:
        width = prior.high - prior.low
        return jnp.where(z < 0.0, prior.low + width * ndtr(z), prior.high - width * ndtr(-z))

    def position(x: jax.Array) -> jax.Array:
        width = prior.high - prior.low
        return from_tails((x - prior.low) / width, (prior.high - x) / width)

    return Quantiles(value, position)


@quantiles.register
def _(prior: dist.HalfNormal) -> Quantiles:
    def value(z: jax.Array) -> jax.Array:
        lower = 2.0**0.5 * erfinv(ndtr(jnp.minimum(z, 0.0)))
        return prior.scale * jnp.where(z < 0.0, lower, -ndtri(0.5 * ndtr(-near(z))))

    def position(x: jax.Array) -> jax.Array:
        away = x / (2.0**0.5 * prior.scale)
        return from_tails(erf(away), erfc(away))

    return Quantiles(value, position)


@quantiles.register
def _(prior: dist.HalfCauchy) -> Quantiles:
    quarter = 0.5 * jnp.pi
    return Quantiles(
        lambda z: prior.scale * jnp.where(z < 0.0, jnp.tan(quarter * ndtr(z)), 1.0 / jnp.tan(quarter * ndtr(-near(z)))),
        lambda x: from_tails(jnp.arctan2(x, prior.scale) / quarter, jnp.arctan2(prior.scale, x) / quarter),
    )


@quantiles.register
def _(prior: dist.Exponential) -> Quantiles:
    return Quantiles(
        lambda z: hazard(z) / prior.rate,
        lambda x: from_tails(-jnp.expm1(-prior.rate * x), jnp.exp(-prior.rate * x)),
    )


@quantiles.register
def _(prior: dist.Weibull) -> Quantiles:
    def position(x: jax.Array) -> jax.Array:
        rate = (x / prior.scale) ** prior.concentration
        return from_tails(-jnp.expm1(-rate), jnp.exp(-rate))

    return Quantiles(lambda z: prior.scale * hazard(z) ** (1.0 / prior.concentration), position)


@quantiles.register
def _(prior: dist.Gumbel) -> Quantiles:
    def position(x: jax.Array) -> jax.Array:
        rate = jnp.exp((prior.loc - x) / prior.scale)
        return from_tails(jnp.exp(-rate), -jnp.expm1(-rate))

    return Quantiles(lambda z: prior.loc - prior.scale * jnp.log(hazard(-z)), position)


@quantiles.register
def _(prior: dist.Cauchy) -> Quantiles:
    return _symmetric(prior, lambda t: 1.0 / jnp.tan(jnp.pi * t), lambda far: jnp.arctan2(1.0, far) / jnp.pi)


@quantiles.register
def _(prior: dist.Laplace) -> Quantiles:
    return _symmetric(prior, lambda t: -jnp.log(2.0 * t), lambda far: 0.5 * jnp.exp(-far))


@quantiles.register
def _(prior: dist.Logistic) -> Quantiles:
    return _symmetric(prior, lambda t: jnp.log1p(-t) - jnp.log(t), lambda far: jax.nn.sigmoid(-far))


@quantiles.register
def _(prior: dist.SoftLaplace) -> Quantiles:
    quarter = 0.5 * jnp.pi
    return _symmetric(prior, lambda t: -jnp.log(jnp.tan(quarter * t)), lambda far: jnp.arctan(jnp.exp(-far)) / quarter)


def _symmetric(
    prior: dist.Cauchy | dist.Laplace | dist.Logistic | dist.SoftLaplace,
    far: Callable[[jax.Array], jax.Array],
    tail: Callable[[jax.Array], jax.Array],
) -> Quantiles:
    """A family of location and scale: how `far` out, in scales, lies what has a probability beyond; and its inverse."""

    def value(z: jax.Array) -> jax.Array:
        side = jnp.where(z < 0.0, -1.0, 1.0)
        return prior.loc + prior.scale * side * far(ndtr(-side * near(z)))

    def position(x: jax.Array) -> jax.Array:
        away = (x - prior.loc) / prior.scale
        return -jnp.sign(away) * ndtri(jnp.maximum(tail(jnp.abs(away)), LEAST))

    return Quantiles(value, position)


@quantiles.register
def _(prior: dist.AsymmetricLaplace) -> Quantiles:
    def left() -> jax.Array:
        return prior.asymmetry**2 / (1.0 + prior.asymmetry**2)  # probability below loc

    def value(z: jax.Array) -> jax.Array:
        below, above = log_ndtr(z) - jnp.log(left()), log_ndtr(-z) - jnp.log1p(-left())
        return prior.loc + jnp.where(below < 0.0, prior.left_scale * below, -prior.right_scale * above)

    def position(x: jax.Array) -> jax.Array:
        below = left() * jnp.exp(jnp.minimum(x - prior.loc, 0.0) / prior.left_scale)
        above = (1.0 - left()) * jnp.exp(-jnp.maximum(x - prior.loc, 0.0) / prior.right_scale)
        return jnp.where(x < prior.loc, from_tails(below, 1.0 - below), from_tails(1.0 - above, above))

    return Quantiles(value, position)


@quantiles.register
def _(prior: LeftTruncatedDistribution) -> Quantiles | None:
    return _truncated(prior.base_dist, prior.low, None)


@quantiles.register
def _(prior: RightTruncatedDistribution) -> Quantiles | None:
    return _truncated(prior.base_dist, None, prior.high)


@quantiles.register
def _(prior: TwoSidedTruncatedDistribution) -> Quantiles | None:
    return _truncated(prior.base_dist, prior.low, prior.high)


def _truncated(prior: dist.Distribution, low: jax.Array | None, high: jax.Array | None) -> Quantiles | None:
    """Between bounds, the probabilities on either side are means of those at the bounds: sums of positive numbers."""
    base = quantiles(prior)
    if base is None:
        return None

    def beyond() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Probabilities of the whole distribution on either side of each bound."""
        ends = [None if end is None else base.position(end) for end in (low, high)]
        lower, upper = (None if end is None else (ndtr(end), ndtr(-end)) for end in ends)
        return lower or (0.0, 1.0), upper or (1.0, 0.0)

    def value(z: jax.Array) -> jax.Array:
        (low_below, low_above), (high_below, high_above) = beyond()
        below, above = ndtr(z), ndtr(-z)
        found = from_tails(low_below * above + high_below * below, low_above * above + high_above * below, least())
        return jnp.clip(base.value(found), low, high)

    def position(x: jax.Array) -> jax.Array:
        (low_below, low_above), (high_below, high_above) = beyond()
        z = base.position(x)
        lower = ndtr(z) < 0.5
        below = jnp.where(lower, ndtr(z) - low_below, low_above - ndtr(-z))
        above = jnp.where(lower, high_below - ndtr(z), ndtr(-z) - high_above)
        return from_tails(below / (below + above), above / (below + above))

    return Quantiles(value, position)
