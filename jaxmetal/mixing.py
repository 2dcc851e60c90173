"""How a property mixes: g in  <P> = g^-1( O[L g(P)] / O[L] ).

A mixing (`Mixing`) is any object with `properties` (how many carried properties it needs), `unit` (of what it reports,
"" where that is not known), `reference(low, high)`, `moments(values, reference)` (the fields that are averaged with the
light's weight) and `combine(means, reference)` (what the instrument reports). The reference cancels in exact
arithmetic; it keeps the fields of order one in float32.
"""

from __future__ import annotations

from typing import Protocol

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, static

Values = tuple[jax.Array, ...]

LN10 = 2.302585092994046
"""Powers of ten are written as exponentials, which compilers vectorise."""


class Mixing(Protocol):
    """What every mixing is."""

    @property
    def properties(self) -> int:
        """How many carried properties it needs."""

    @property
    def unit(self) -> str:
        """Of what it reports, "" where that is not known."""

    def reference(self, low: Values, high: Values) -> jax.Array:
        """A number within the range of the properties, which keeps the fields of order one."""

    def moments(self, values: Values, reference: jax.Array) -> Values:
        """The fields that are averaged with the light's weight."""

    def combine(self, means: Values, reference: jax.Array) -> jax.Array:
        """What the instrument reports of their means."""


@node
class Linear:
    """g(P) = P: velocities, ages, abundances by number; with P = 12 + log(O/H) the mean of Metha et al. 2024, eq. 2.

    Attributes:
        unit: of the property, for tables and pictures.
    """

    properties = 1
    unit: str = static(default="")

    def reference(self, low: Values, high: Values) -> jax.Array:
        """The middle of the range."""
        return 0.5 * (low[0] + high[0])

    def moments(self, values: Values, reference: jax.Array) -> Values:
        """P - reference."""
        return (values[0] - reference,)

    def combine(self, means: Values, reference: jax.Array) -> jax.Array:
        """The light-weighted mean."""
        return reference + means[0]


@node
class Dex:
    """g(P) = 10^P: properties in dex, 12 + log(O/H) above all (the tracer type LOG of lenstronomy 1.14)."""

    properties = 1
    unit = "dex"

    def reference(self, low: Values, high: Values) -> jax.Array:
        """The largest value."""
        return high[0]

    def moments(self, values: Values, reference: jax.Array) -> Values:
        """10^(P - reference)."""
        return (jnp.exp(LN10 * (values[0] - reference)),)

    def combine(self, means: Values, reference: jax.Array) -> jax.Array:
        """reference + log10 of the mean."""
        return reference + jnp.log10(means[0])


@node
class Magnitude:
    """g(P) = 10^(-0.4 P): colours and magnitudes, weighted by the reference band's light."""

    properties = 1
    unit = "mag"

    def reference(self, low: Values, high: Values) -> jax.Array:
        """The brightest value."""
        return low[0]

    def moments(self, values: Values, reference: jax.Array) -> Values:
        """10^(-0.4 (P - reference))."""
        return (jnp.exp(-0.4 * LN10 * (values[0] - reference)),)

    def combine(self, means: Values, reference: jax.Array) -> jax.Array:
        """reference - 2.5 log10 of the mean."""
        return reference - 2.5 * jnp.log10(means[0])


@node
class SecondMoment:
    """Observed dispersion of a line: sqrt(<sigma^2 + v^2> - <v>^2), for the properties (velocity, dispersion).

    Attributes:
        unit: of both, for tables and pictures.
    """

    properties = 2
    unit: str = static(default="")

    def reference(self, low: Values, high: Values) -> jax.Array:
        """The middle of the velocities."""
        return 0.5 * (low[0] + high[0])

    def moments(self, values: Values, reference: jax.Array) -> Values:
        """v - reference and sigma^2 + (v - reference)^2."""
        velocity = values[0] - reference
        return velocity, values[1] ** 2 + velocity**2

    def combine(self, means: Values, reference: jax.Array) -> jax.Array:
        """The square root of the second central moment."""
        variance = means[1] - means[0] ** 2
        positive = variance > 0.0
        return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)
