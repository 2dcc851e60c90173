"""A strong-line calibration: a ratio as a function of metallicity, with its range, scatter and source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.curves import Polynomial
from jaxmetal.lines.names import look_up
from jaxmetal.lines.ratios import RATIOS, Ratio
from jaxmetal.numerics.tree import node, static


@node
class Calibration:
    """log10 R(Z) of one ratio.

    Called with Z it follows the paper's curve within the valid range and its tangent beyond, so that a sampler meets
    neither an edge nor an invented turnover; `curve(z)` is the paper's formula everywhere.

    Attributes:
        curve: callable tree, Z -> log10 R.
        scatter: callable tree, Z -> standard deviation of log10 R at fixed Z, dex; None where no source states it.
        valid: lowest and highest Z, shape (2,).
        name: "C20.R3".
        ratio: which lines.
        source: paper and table.
        verified: False where only one public source was found for the digits.
    """

    curve: Any
    scatter: Any
    valid: Any
    name: str = static()
    ratio: Ratio = static()
    source: str = static()
    verified: bool = static(default=True)

    def __call__(self, z: jax.Array) -> jax.Array:
        """log10 R, continued along the tangent outside `valid`."""
        z = jnp.asarray(z)
        inside = jnp.clip(z, self.valid[0], self.valid[1])
        value, slope = jax.jvp(self.curve, (inside,), (jnp.ones_like(inside),))
        return value + slope * (z - inside)

    def sigma(self, z: jax.Array) -> jax.Array:
        """Scatter of log10 R at Z, dex; beyond the valid range that of its end."""
        return self.scatter(jnp.clip(jnp.asarray(z), self.valid[0], self.valid[1]))

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether Z is beyond the valid range."""
        return (z < self.valid[0]) | (z > self.valid[1])


def calibration_of_your_own(
    name: str,
    ratio: str | Ratio,
    curve: Callable[[jax.Array], jax.Array],
    *,
    valid: tuple[float, float],
    scatter: float,
    source: str = "own",
) -> Calibration:
    """A calibration from any JAX function of Z = 12 + log(O/H).

    Args:
        name: how results call it.
        ratio: a name of `RATIOS` or a `Ratio`.
        curve: Z -> log10 R.
        valid: lowest and highest Z.
        scatter: standard deviation of log10 R at fixed Z, dex.
        source: for the record.

    Raises:
        InputError: if the ratio is unknown, the range is empty or the scatter negative.
    """
    low, high = valid
    if not low < high:
        raise InputError(f"valid: expected a lower and a higher 12 + log(O/H), found {valid}; give (low, high).")
    return Calibration(
        curve=curve if isinstance(curve, Partial) else Partial(curve),
        scatter=constant_scatter(scatter),
        valid=np.array([low, high], float),
        name=name,
        ratio=look_up("ratio", ratio, RATIOS) if isinstance(ratio, str) else ratio,
        source=source,
    )


def constant_scatter(sigma: float) -> Polynomial:
    """The same scatter at every Z, dex.

    Raises:
        InputError: if it is negative or no number.
    """
    if not (isinstance(sigma, (int, float, np.number)) and 0.0 <= sigma < np.inf):
        raise InputError(f"scatter: expected a number of dex, 0 or more, found {sigma!r}; state it.")
    return Polynomial(coefficients=np.array([float(sigma)]))
