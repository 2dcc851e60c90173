"""Coordinates in which a bent posterior is straight, and proposals there.

    t = u . (z - z_0),    e = C(t)^T [Q^T (z - z_0) - m(t)],    C C^T = Q^T H(t) Q

with z_0 the mode, u the direction along which the posterior bends, Q a basis across it, m(t) the maximum of the density
at given t and H(t) the curvature there, both by cubic splines through knots (`fit.ridge` finds them). In (t, e) the
posterior is white but for the height along the ridge, which the knots tell too: log p(t, m(t)) - log |C(t)|, Laplace's
approximation of its marginal (Tierney & Kadane 1986, JASA 81, 82). The density of proposals holds the change of volume
|C|, so that whatever the ridge misses is corrected exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence

from jaxmetal.fit.student import Array, StudentMixture

OVERLAP = 0.9
"""Width of the proposals about a knot, over half the distance of its neighbours."""

GOOD = 0.5
"""See `Bent.good`."""


class Ridge(NamedTuple):
    """See the module.

    Attributes:
        mode: shape (size,).
        axes: u and the columns of Q, shape (size, size).
        knots: t, rising, shape (knots,).
        middles: m there, shape (knots, size - 1).
        factors: C there, lower triangular, shape (knots, size - 1, size - 1).
        heights: log of the marginal density there, up to a constant; shape (knots,).
    """

    mode: Array
    axes: Array
    knots: Array
    middles: Array
    factors: Array
    heights: Array

    def straight(self, vectors: Array) -> tuple[Array, Array]:
        """(t, e) of vectors (count, size), and the logarithm of the change of volume."""
        turned = (vectors - self.mode) @ self.axes
        middles, factors = self._across(turned[:, 0])
        e = np.einsum("nji,nj->ni", factors, turned[:, 1:] - middles)
        return np.column_stack([turned[:, 0], e]), np.sum(np.log(np.diagonal(factors, axis1=1, axis2=2)), axis=1)

    def bent(self, straight: Array) -> Array:
        """The inverse: vectors of (t, e)."""
        middles, factors = self._across(straight[:, 0])
        across = middles + np.linalg.solve(np.swapaxes(factors, 1, 2), straight[:, 1:, None])[..., 0]
        found: Array = self.mode + np.column_stack([straight[:, 0], across]) @ self.axes.T
        return found

    @property
    def log_mass(self) -> float:
        """log integral of the posterior density, as the knots know it: of Laplace's approximation of its marginal."""
        across = 0.5 * (len(self.mode) - 1) * np.log(2.0 * np.pi)
        return float(np.logaddexp.reduce(self.heights + np.log(self._widths())) + across)

    def along(self) -> StudentMixture:
        """Where the posterior lies in (t, e), as the knots know it: a t about each."""
        width, size = self._widths(), len(self.mode)
        shares = np.exp(self.heights - np.max(self.heights)) * width
        factors = np.repeat(np.eye(size)[None], len(width), axis=0)
        factors[:, 0, 0] = OVERLAP * width
        centres = np.column_stack([self.knots, np.zeros((len(width), size - 1))])
        return StudentMixture(shares / shares.sum(), centres, factors)

    def _widths(self) -> Array:
        gaps = np.diff(self.knots)
        return np.asarray(0.5 * (np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0])))

    def _across(self, t: Array) -> tuple[Array, Array]:
        """m and C; beyond the knots straight on, as wide as at the last."""
        from scipy.interpolate import CubicSpline  # slow to import, and few need it

        count, size = self.middles.shape
        inside, place = np.clip(t, self.knots[0], self.knots[-1]), np.arange(size)
        middle, packed = CubicSpline(self.knots, self.middles), self.factors.copy()
        packed[:, place, place] = np.log(packed[:, place, place])
        factors = CubicSpline(self.knots, packed.reshape(count, -1))(inside).reshape(-1, size, size)
        factors[:, place, place] = np.exp(factors[:, place, place])
        return middle(inside) + middle(inside, 1) * (t - inside)[:, None], factors


class Bent(NamedTuple):
    """A mixture of Student-t's in the straight coordinates of a ridge.

    Attributes:
        ridge: see `Ridge`.
        mixture: of (t, e).
    """

    ridge: Ridge
    mixture: StudentMixture

    @property
    def good(self) -> float:
        """k-hat below which no other mixture is fitted to its draws: the ridge knows more than they do."""
        return GOOD

    @property
    def described(self) -> str:
        """What proposals from it are called."""
        return "proposals along its ridge"

    def draw(self, seed: SeedSequence, count: int) -> Array:
        """Vectors, shape (count, size)."""
        return self.ridge.bent(self.mixture.draw(seed, count)).astype(self.ridge.mode.dtype)

    def log_density(self, vectors: Array) -> Array:
        """At vectors (count, size)."""
        straight, log_volume = self.ridge.straight(vectors)
        return self.mixture.log_density(straight) + log_volume

    def fitted(self, vectors: Array, weights: Array, parts: int, random: Generator) -> Bent:
        """As of `StudentMixture`, along the same ridge."""
        return self._replace(mixture=self.mixture.fitted(self.ridge.straight(vectors)[0], weights, parts, random))
