"""Knots of a ridge, and the way from one to the next (see `fit.ridge`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.fit.student import Array

STEEP, SHORTEST = 2.5, 1.0 / 8.0
"""Drop between two knots from which the stride is halved, as where the ridge is lost; to which part of the first. It is
doubled again from knot to knot."""

DEEP = 7.0
"""How far the ridge is followed downwards, in log density."""

NEAR, LONGEST = 0.1, 10.0
"""Steps of Newton, in standard deviations: after one below the first a maximum is reached; none is longer than the
second."""

LOST = 1.0
"""Last step from which on there is no knot."""

SMALLEST = 1e-10
"""Of the largest curvature: what is less is raised to it."""


class Bend(NamedTuple):
    """Minus the second derivatives H of the log density about a ridge; u and Q as in `bent`.

    Attributes:
        factor: C, with C C^T = Q^T H Q made positive definite; shape (size - 1, size - 1).
        mixed: Q^T H u, shape (size - 1,).
    """

    factor: Array
    mixed: Array

    @classmethod
    def of(cls, hessian: Array, mixed: Array) -> Bend:
        """Eigenvalues of the wrong sign are mirrored, tiny ones raised."""
        values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
        sizes = np.maximum(np.abs(values), SMALLEST * np.max(np.abs(values)))
        return cls(np.linalg.cholesky((vectors * sizes) @ vectors.T), mixed)

    @property
    def basis(self) -> Array:
        """Steps of one standard deviation across, in their columns: C^-T."""
        return np.asarray(np.linalg.inv(self.factor).T)

    def solved(self, right: Array) -> Array:
        """(C C^T)^-1 of a vector."""
        return np.asarray(np.linalg.solve(self.factor @ self.factor.T, right))

    def height(self, log_density: float) -> float:
        """Log of the marginal density along the ridge, from that at its top; up to a constant."""
        return log_density - float(np.sum(np.log(np.diag(self.factor))))


class Side(NamedTuple):
    """The way along a ridge from the mode.

    Attributes:
        which: problem.
        axes: see `bent.Ridge`.
        stride: between knots, along the first axis, with its sign.
        knots: points so far, shape (size,) each; the first is the mode.
        bends: there.
        heights: there, see `Bend.height`.
        longest: stride that is not doubled.
        going: whether there are more.
    """

    which: int
    axes: Array
    stride: float
    knots: tuple[Array, ...]
    bends: tuple[Bend, ...]
    heights: tuple[float, ...]
    longest: float
    going: bool = True

    @property
    def across(self) -> Array:
        """The axes but the first."""
        return self.axes[:, 1:]

    def ahead(self) -> Way:
        """Where the tangent of the last knot leads."""
        last = self.bends[-1]
        tangent = self.axes[:, 0] - self.across @ last.solved(last.mixed)
        return Way(self, self.knots[-1] + self.stride * tangent, last)


class Way(NamedTuple):
    """On the way to a knot.

    Attributes:
        side: that it will belong to.
        point: where, shape (size,).
        bend: of where it was taken.
        moved: since then, in standard deviations.
        left: length of the last step, before it was shortened.
        log_density: at the maximum, as far as the last step tells.
    """

    side: Side
    point: Array
    bend: Bend
    moved: float = np.inf
    left: float = np.inf
    log_density: float = -np.inf

    def stepped(self, density: float, slope: Array) -> Way:
        """After a step of Newton across the ridge, from the density and its gradient; as it is where there are none."""
        pull = self.side.across.T @ slope
        if not np.isfinite(density + np.sum(pull)):
            return self._replace(left=np.inf)
        step = self.bend.solved(pull)
        left = float(np.sqrt(pull @ step))
        point = self.point + self.side.across @ step * (LONGEST / max(left, LONGEST))
        return self._replace(point=point, left=left, log_density=density + 0.5 * left**2)

    def away(self, point: Array) -> float:
        """Distance from a point, in standard deviations."""
        return float(np.linalg.norm(self.bend.factor.T @ (self.side.across.T @ (self.point - point))))

    def ended(self) -> Side:
        """The side with a knot more, with a shorter stride, or at its end."""
        side, found = self.side, self.left < LOST
        height = self.bend.height(self.log_density)
        if not found or height < side.heights[-1] - STEEP:
            if abs(side.stride) > SHORTEST * side.longest:
                return side._replace(stride=0.5 * side.stride)
            if not found:
                return side._replace(going=False)
        return side._replace(
            stride=float(np.clip(2.0 * side.stride, -side.longest, side.longest)),
            knots=(*side.knots, self.point),
            bends=(*side.bends, self.bend),
            heights=(*side.heights, height),
            going=height > side.heights[0] - DEEP,
        )
