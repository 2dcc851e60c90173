"""Functions of two coordinates, added."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.profile import smallest_scale
from jaxmetal.numerics.tree import node


@node
class Sum:
    """The sum of its named parts, each called with the same coordinates.

    Attributes:
        parts: name to profile, at least one; names are part of the path of a parameter (`parts.bulge.flux`).
    """

    parts: dict[str, Callable[[jax.Array, jax.Array], jax.Array]]

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Sum over parts of part(u, v)."""
        return functools.reduce(operator.add, (part(u, v) for part in self.parts.values()))

    def smallest_scale(self) -> Any:
        """The least of its parts."""
        return functools.reduce(jnp.minimum, (smallest_scale(part) for part in self.parts.values()))
