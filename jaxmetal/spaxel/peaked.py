"""A positive number integrated over its logarithm between two ends, with most nodes about its peak."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

COARSE, FINE = 24, 48
"""Nodes about a first guess of the peak, and about the mean that these give."""

LogDensity = Callable[[jax.Array], jax.Array]
"""Values, shape (nodes, *points) -> log density there per unit of the logarithm, same shape."""


class Nodes(NamedTuple):
    """x = centre exp(width sinh s), with s in even steps from `first` to `last`, the ends of x.

    About the centre nodes are width step apart in ln x, and at a distance d in ln x sqrt(width^2 + d^2) step.

    Attributes:
        centre: shape (*points).
        width: in ln x, likewise.
        first, last: of s, likewise.
        x: shape (nodes, *points).
        log_weight: log of the density times d ln x of each node (trapezoidal rule), likewise.
    """

    centre: jax.Array
    width: jax.Array
    first: jax.Array
    last: jax.Array
    x: jax.Array
    log_weight: jax.Array

    @property
    def log_integral(self) -> jax.Array:
        """log of the integral of the density over ln x, shape (*points)."""
        return jax.scipy.special.logsumexp(self.log_weight, axis=0)

    def mean(self, values: jax.Array) -> jax.Array:
        """Of values at the nodes, shape (nodes, *points), under the density."""
        return jnp.sum(jax.nn.softmax(self.log_weight, axis=0) * values, axis=0)

    def draw(self, key: jax.Array) -> jax.Array:
        """One x per point: a node, and evenly in s within its cell."""
        first, second = jax.random.split(key)
        count = self.x.shape[0]
        node = jax.random.categorical(first, self.log_weight, axis=0)
        place = jnp.abs(node + jax.random.uniform(second, node.shape, self.x.dtype, -0.5, 0.5))
        place = (count - 1) - jnp.abs(count - 1 - place)  # the cells of the ends are half ones
        s = self.first + (self.last - self.first) * place / (count - 1)
        return self.centre * jnp.exp(self.width * _sinh(s))


def nodes(log_density: LogDensity, ends: tuple[jax.Array, jax.Array], centre: jax.Array, width: jax.Array) -> Nodes:
    """Nodes over all of x, dense where the mass is.

    Args:
        log_density: of the data.
        ends: least and largest x, positive.
        centre: a guess of the peak between the ends, shape (*points).
        width: a guess of its standard deviation in ln x, likewise.
    """
    guess = _about(log_density, ends, centre, width, COARSE)
    off = jnp.log(guess.x / guess.centre)
    mean = guess.mean(off)
    apart = (guess.last - guess.first) / (COARSE - 1) * jnp.sqrt(width**2 + mean**2)
    spread = jnp.sqrt(guess.mean((off - mean) ** 2) + (0.3 * apart) ** 2)
    return _about(log_density, ends, centre * jnp.exp(mean), spread, FINE)


def _about(
    log_density: LogDensity, ends: tuple[jax.Array, jax.Array], centre: jax.Array, width: jax.Array, count: int
) -> Nodes:
    first, last = (jnp.arcsinh(jnp.log(end / centre) / width) for end in ends)
    fraction = (jnp.arange(count) / (count - 1)).reshape(-1, *(1,) * jnp.ndim(centre)).astype(centre.dtype)
    sinh = _sinh(first + (last - first) * fraction)
    x = centre * jnp.exp(width * sinh)
    half = jnp.where((fraction == 0.0) | (fraction == 1.0), 0.5, 1.0)
    step = half * jnp.sqrt(1.0 + sinh**2)
    return Nodes(centre, width, first, last, x, log_density(x) + jnp.log(step * (width * (last - first) / (count - 1))))


def _sinh(s: jax.Array) -> jax.Array:
    """With one exponential, of which there are vectorised ones."""
    grown = jnp.exp(s)
    return 0.5 * (grown - 1.0 / grown)
