"""The ridge of a posterior that bends: followed from its mode, knot by knot, along its widest direction.

Where one combination of numbers is told poorly and the others follow it along a curve (a metallicity that calibrations
with unknown departures leave open, and the dust and the flux that go with it), no Gaussian covers the posterior, and a
mixture of them finds a thin bent one in many dimensions slowly. But across the ridge it is a Gaussian nearly
everywhere. Each knot is reached from the last along the tangent dm/dt = -(Q^T H Q)^-1 Q^T H u and corrected by steps of
Newton (predictor and corrector: Allgower & Georg 1990, Numerical Continuation Methods, chapter 2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxmetal.fit import evaluate
from jaxmetal.fit.bent import Ridge
from jaxmetal.fit.knots import NEAR, Bend, Side, Way
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem
from jaxmetal.fit.student import Array

STRIDE = 0.7
"""Distance of two knots, in standard deviations of the Gaussian at the mode."""

MOST = 24
"""Most steps on either side of the mode."""

FEWEST = 5
"""Least knots of a ridge."""

ROUNDS, CORRECTIONS = 3, 4
"""How often at most the curvature is taken on the way to a knot, and steps of Newton with each."""

STILL = 0.5
"""Distance from where the curvature was taken, in standard deviations, over which it holds."""


def ridges(problems: Problem, which: Sequence[int], gaussians: Sequence[Laplace]) -> list[Ridge | None]:
    """The ridges through the modes of Gaussians; None where one cannot be followed.

    Args:
        problems: see `fit.problem.stack`.
        which: problem of each Gaussian.
        gaussians: the Laplace approximations, of two numbers at least.
    """
    sides = [side for i, one in zip(which, gaussians, strict=True) for side in _begun(i, one)]
    for _ in range(MOST):
        going = [n for n, side in enumerate(sides) if side.going]
        if not going:
            break
        for n, further in zip(going, _onwards(problems, [sides[n] for n in going]), strict=True):
            sides[n] = further
    pairs = zip(gaussians, sides[::2], sides[1::2], strict=True)
    return [_joined(one, forth, back) for one, forth, back in pairs]


def _begun(which: int, gaussian: Laplace) -> tuple[Side, Side]:
    factor = np.asarray(gaussian.factor, float)
    values, vectors = np.linalg.eigh(factor @ factor.T)
    axes, stride = vectors[:, ::-1], STRIDE * float(np.sqrt(values[-1]))
    turned = axes.T @ np.linalg.inv(factor @ factor.T) @ axes
    bend = Bend.of(turned[1:, 1:], turned[1:, 0])
    mode, height = np.asarray(gaussian.mode, float), bend.height(float(gaussian.log_peak))
    forth = Side(which, axes, stride, (mode,), (bend,), (height,), stride)
    return forth, forth._replace(stride=-stride)


def _onwards(problems: Problem, sides: Sequence[Side]) -> list[Side]:
    """A knot further, each."""
    ways = [side.ahead() for side in sides]
    for _ in range(ROUNDS):
        moving = [n for n, way in enumerate(ways) if way.moved > STILL]
        if not moving:
            break
        for n, way in zip(moving, _nearer(problems, [ways[n] for n in moving]), strict=True):
            ways[n] = way
    return [way.ended() for way in ways]


def _nearer(problems: Problem, ways: Sequence[Way]) -> list[Way]:
    """Nearer to a knot, by the curvature here."""
    bends = _bends(problems, ways)
    there = [way._replace(bend=bend) for way, bend in zip(ways, bends, strict=True)]
    going = list(range(len(ways)))
    for _ in range(CORRECTIONS):
        some = [there[n] for n in going]
        found = _slopes(problems, [way.side.which for way in some], np.stack([way.point for way in some]))
        for n, density, slope in zip(going, *found, strict=True):
            there[n] = there[n].stepped(density, slope)
        going = [n for n in going if NEAR < there[n].left < np.inf]
        if not going:
            break
    return [now._replace(moved=now.away(way.point)) for now, way in zip(there, ways, strict=True)]


def _bends(problems: Problem, ways: Sequence[Way]) -> list[Bend]:
    """The curvature at points, by differences across; the last one where it is not finite."""
    size = len(ways[0].point)
    step = 100.0 * float(np.finfo(np.asarray(problems.held).dtype).eps) ** (1.0 / 3.0)
    moves = [step * (way.side.across @ way.bend.basis).T for way in ways]
    ends = np.stack([(way.point + move, way.point - move) for way, move in zip(ways, moves, strict=True)])
    which = np.repeat([way.side.which for way in ways], 2 * (size - 1))
    slopes = _slopes(problems, which, ends.reshape(-1, size))[1].reshape(ends.shape)
    return [_bend(way, (down - up) / (2.0 * step)) for way, (up, down) in zip(ways, slopes, strict=True)]


def _bend(way: Way, found: Array) -> Bend:
    """From H times each step across, shape (size - 1, size)."""
    if not np.all(np.isfinite(found)):
        return way.bend
    turned = way.bend.factor @ found @ way.side.axes
    return Bend.of(turned[:, 1:], turned[:, 0])


def _joined(gaussian: Laplace, forth: Side, back: Side) -> Ridge | None:
    knots = np.stack([*reversed(back.knots), *forth.knots[1:]])
    if len(knots) < FEWEST:
        return None
    turned = (knots - np.asarray(gaussian.mode)) @ forth.axes
    return Ridge(
        mode=np.asarray(gaussian.mode),
        axes=forth.axes,
        knots=turned[:, 0],
        middles=turned[:, 1:],
        factors=np.stack([one.factor for one in (*reversed(back.bends), *forth.bends[1:])]),
        heights=np.array([*reversed(back.heights), *forth.heights[1:]]),
    )


def _slopes(problems: Problem, which: Sequence[int] | Array, points: Array) -> tuple[Array, Array]:
    real = np.asarray(problems.held).dtype
    density, slopes = evaluate.gradients(problems, which, points.astype(real))
    return density.astype(float), slopes.astype(float)
