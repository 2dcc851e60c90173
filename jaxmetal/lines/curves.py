"""Shapes of calibrations: log10 R as a differentiable function of Z = 12 + log(O/H)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node


@node
class Polynomial:
    """log10 R = sum_i coefficients_i (Z - zero)^i.

    Attributes:
        coefficients: ascending, shape (n,).
        zero: the abundance that the paper subtracts, e.g. 8.69.
    """

    coefficients: Any
    zero: Any = 0.0

    def __call__(self, z: jax.Array) -> jax.Array:
        """log10 R at 12 + log(O/H) of any shape."""
        return jnp.polyval(jnp.asarray(self.coefficients)[::-1], jnp.asarray(z) - self.zero)


@node
class InverseCubic:
    """The y = log10 R that solves Z = sum_i coefficients_i y^i, for an increasing cubic.

    With y = t - c2/(3 c3) the cubic is t^3 + p t + q = 0, whose only real root, for p > 0, is
    t = -2 sqrt(p/3) sinh(asinh(3 q / (2 p) sqrt(3/p)) / 3).

    Attributes:
        coefficients: c0 to c3, ascending, with c3 > 0 and 3 c1 c3 > c2^2.
    """

    coefficients: Any

    def __call__(self, z: jax.Array) -> jax.Array:
        """log10 R at 12 + log(O/H) of any shape."""
        c0, c1, c2, c3 = (jnp.asarray(self.coefficients)[i] for i in range(4))
        shift = c2 / (3.0 * c3)
        p = c1 / c3 - 3.0 * shift**2
        q = 2.0 * shift**3 - shift * c1 / c3 + (c0 - z) / c3
        t = -2.0 * jnp.sqrt(p / 3.0) * jnp.sinh(jnp.arcsinh(1.5 * q / p * jnp.sqrt(3.0 / p)) / 3.0)
        return t - shift
