"""Functions of two coordinates, added."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.profile import is_kinked, smallest_scale, turns_of
from jaxmetal.numerics.tree import node


@node
class Sum:
    """The sum of its named parts, each called with the same coordinates.

    Attributes:
        parts: name to profile, at least one; names are part of the path of a parameter (`parts.bulge.flux`).
    """

    parts: dict[str, Callable[[jax.Array, jax.Array], jax.Array]]

    @property
    def turns(self) -> int:
        """Turns that all parts allow (see `numerics.profile`)."""
        return turns_of(*self.parts.values())

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Sum over parts of part(u, v)."""
        return functools.reduce(operator.add, (part(u, v) for part in self.parts.values()))

    @property
    def kinked(self) -> bool:
        """Whether a part is."""
        return any(is_kinked(part) for part in self.parts.values())

    def scale_beyond(self, radius: Any) -> Any:
        """The least of its parts."""
        return functools.reduce(jnp.minimum, (smallest_scale(part, radius) for part in self.parts.values()))
