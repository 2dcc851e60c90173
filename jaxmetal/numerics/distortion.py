"""What an affine map leaves of the positions of an image's pixels: a polynomial of their indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.tree import node, parameter

DEGREE = 4
"""Of the polynomial; that of a camera over the few arcseconds of a galaxy is of degree 2 or 3."""
POWERS = tuple((p, degree - p) for degree in range(2, DEGREE + 1) for p in range(degree, -1, -1))
"""Powers of (column, row) of its terms, from the second degree on: the others are the affine map's."""
REACH = 2.0
"""Half sides of the image beyond whose middle the distortion grows no more: polynomials run away where no pixel is."""
STEPS = 8
"""Of the inversion; each gains a factor of the distortion's slope, a few percent at most (see `io.distorted`)."""

Pair = tuple[Any, Any]


@node
class SkyDistortion:
    """(dx, dy) = sum_k terms[:, k] u^p_k v^q_k with u, v = (index - middle) / unit, the powers being `POWERS`.

    Attributes:
        terms: arcsec, shape (2, number of powers).
        middle: of the image, (column, row), pixels.
        unit: half of the longer side of the image, pixels.
    """

    terms: Any = parameter("arcsec")
    middle: Any = parameter("pixel")
    unit: Any = parameter("pixel")

    def __call__(self, column: Any, row: Any) -> Pair:
        """The displacement (x, y) of fractional pixel indices, arcsec."""
        powers = powers_of(*self._scaled(column, row))
        return sum_of(self.terms[0], powers), sum_of(self.terms[1], powers)

    def undone(self, affine: Callable[[Any, Any], Pair], x: Any, y: Any) -> Pair:
        """The indices (column, row) that lie at (x, y), by fixed-point iteration.

        Args:
            affine: sky position -> indices, without distortion.
            x: arcsec.
            y: arcsec.
        """
        column, row = affine(x, y)
        for _ in range(STEPS):
            dx, dy = self(column, row)
            column, row = affine(x - dx, y - dy)
        return column, row

    def rescaled(self, fine: int, before: np.ndarray) -> SkyDistortion:
        """Of indices that are `fine` times (index + before)."""
        middle = (np.asarray(self.middle) + before) * fine
        return SkyDistortion(terms=self.terms, middle=middle, unit=self.unit * fine)

    def _scaled(self, column: Any, row: Any) -> Pair:
        lib = jnp if any(isinstance(one, jax.Array) for one in (column, row, self.terms)) else np
        u, v = (column - self.middle[0]) / self.unit, (row - self.middle[1]) / self.unit
        return lib.clip(u, -REACH, REACH), lib.clip(v, -REACH, REACH)


def powers_of(u: Any, v: Any) -> list[Any]:
    """u^p v^q of `POWERS`."""
    us, vs = [1.0, u], [1.0, v]
    for _ in range(DEGREE - 1):
        us.append(us[-1] * u)
        vs.append(vs[-1] * v)
    return [us[p] * vs[q] for p, q in POWERS]


def sum_of(terms: Any, powers: list[Any]) -> Any:
    """The sum of terms times powers."""
    return sum(term * power for term, power in zip(terms, powers, strict=True))
