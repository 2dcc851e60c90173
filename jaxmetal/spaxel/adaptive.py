"""The posterior of (Z, A_V) on a grid of its own: coarse everywhere, fine where the mass is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

LogDensity = Callable[[jax.Array, jax.Array], jax.Array]
"""(Z, A_V) -> log density, for arrays that broadcast."""

UNIFORM = 0.1
"""Share of the nodes that stays spread over the whole prior."""

BEND, LOOSE, STEEPEST = 4.0, 20.0, 1e8
"""Mean second difference of the log density above which its nodes are too far apart, that above which it is tempered
the more, and the most that one counts."""

RISE = 4.0
"""Largest slope times width of a cell, nats, that is taken from a parabola where the values next to it are level."""


@dataclasses.dataclass(frozen=True)
class Levels:
    """Nodes of the grid and how they move (hashable: shapes).

    Attributes:
        z: nodes in Z.
        a_v: nodes in A(V).
        temper: the power of the posterior after which the nodes are placed anew; lower while its modes are unresolved.
        rounds: how often they are placed at most, the even ones counted: twice, and again while these are too few.
        between: cells that the log density is interpolated to between two nodes, once these are where the mass is.
    """

    z: int = 40
    a_v: int = 14
    temper: float = 0.2
    rounds: int = 8
    between: int = 2


class PosteriorGrid(NamedTuple):
    """Nodes and the mass at each.

    Attributes:
        z: increasing, shape (nz,).
        a_v: increasing, shape (na,).
        mass: sums to 1, shape (nz, na).
        log_evidence: log of the mean of exp(log density) over the (flat) prior.
    """

    z: jax.Array
    a_v: jax.Array
    mass: jax.Array
    log_evidence: jax.Array


class _Round(NamedTuple):
    """Nodes, the log density there, where they should move, and how much it bends from one to the next."""

    round: jax.Array
    z: jax.Array
    a_v: jax.Array
    height: jax.Array
    moved: tuple[jax.Array, jax.Array]
    bend: jax.Array


def refine(log_density: LogDensity, z_range: jax.Array, a_v_range: jax.Array, levels: Levels) -> PosteriorGrid:
    """The posterior under flat priors, on nodes that follow its marginals.

    The log density, which is smooth where the density is sharp, is interpolated between the last nodes; the density is
    integrated by the trapezoidal rule.

    Args:
        log_density: of the data.
        z_range: limits in Z, shape (2,).
        a_v_range: limits in A(V), shape (2,); one node there where both are equal, which `levels` must say.
        levels: how many nodes.
    """

    def improve(last: _Round) -> _Round:
        z, a_v = last.moved
        height = log_density(z[:, None], a_v[None, :])
        weight = _widths(z)[:, None] * _widths(a_v)
        relative = height - jnp.max(height)
        mass = jnp.exp(relative) * weight
        bend = jnp.maximum(_bend(height, mass), _bend(height.T, mass.T))
        # Nodes beside a narrow mode miss its height by bend / 8: more than a nat must not decide between modes.
        tempered = jnp.exp(levels.temper * jnp.minimum(1.0, LOOSE / bend) * relative) * weight
        moved = _follow(z, jnp.sum(tempered, axis=1)), _follow(a_v, jnp.sum(tempered, axis=0))
        return _Round(last.round + 1, z, a_v, height, moved, bend)

    def once_more(rounds: tuple[_Round, _Round]) -> tuple[_Round, _Round]:
        last, best = rounds
        new = improve(last)
        # Where nodes never resolve the posterior, a later round may be the worse one.
        better = (new.round <= 2) | (new.bend < best.bend)
        return new, jax.tree.map(lambda a, b: jnp.where(better, a, b), new, best)

    def unfinished(rounds: tuple[_Round, _Round]) -> jax.Array:
        last, _ = rounds
        return (last.round < levels.rounds) & ((last.round < 2) | (last.bend > BEND))

    # One loop for all rounds, the last of which moves nothing: the likelihood is compiled once.
    even = _spread(z_range[0], z_range[1], levels.z), _spread(a_v_range[0], a_v_range[1], levels.a_v)
    nothing = jnp.zeros((levels.z, levels.a_v), even[0].dtype)
    start = _Round(jnp.asarray(0), *even, nothing, even, jnp.asarray(jnp.inf, even[0].dtype))
    _, (_, z, a_v, height, _, _) = jax.lax.while_loop(unfinished, once_more, (start, start))
    z, height = finer(z, height, levels.between)
    a_v, height = finer(a_v, height.T, levels.between)
    height, peak = height.T, jnp.max(height)
    mass = jnp.exp(height - peak) * _widths(z)[:, None] * _widths(a_v)
    total = jnp.sum(mass)
    area = jnp.sum(_widths(z)) * jnp.sum(_widths(a_v))
    return PosteriorGrid(z, a_v, mass / total, peak + jnp.log(total / area))


def finer(nodes: jax.Array, values: jax.Array, parts: int) -> tuple[jax.Array, jax.Array]:
    """Cubic interpolation (Hermite, Fritsch & Carlson 1980) to equal parts of every cell.

    Slopes are those of the parabola through three nodes, right for a Gaussian; where values are so far apart that the
    parabola says nothing they are limited, and so is what the curve can rise above its nodes, to `RISE`.

    Args:
        nodes: increasing, shape (n,).
        values: a log density, shape (n, ...).
        parts: cells in place of one.

    Returns:
        Nodes and values, of first length (n - 1) parts + 1; a single node or two as they are.
    """
    if nodes.size < 3:
        return nodes, values
    step = jnp.diff(nodes).reshape(-1, *(1,) * (values.ndim - 1))
    rise = jnp.diff(values, axis=0) / step
    inner = (step[1:] * rise[:-1] + step[:-1] * rise[1:]) / (step[1:] + step[:-1])
    slope = jnp.concatenate([2.0 * rise[:1] - inner[:1], inner, 2.0 * rise[-1:] - inner[-1:]])
    before, after = jnp.concatenate([rise[:1], rise]), jnp.concatenate([rise, rise[-1:]])
    longest = jnp.maximum(jnp.concatenate([step[:1], step]), jnp.concatenate([step, step[-1:]]))
    steady = jnp.where(before * after > 0.0, jnp.minimum(jnp.abs(before), jnp.abs(after)), 0.0)
    limit = 3.0 * steady + RISE / longest
    slope = jnp.clip(slope, -limit, limit)
    at = (jnp.arange(parts, dtype=nodes.dtype) / parts).reshape(-1, *(1,) * values.ndim)
    first, last = slope[:-1], slope[1:]
    curve = first + at * (3.0 * rise - 2.0 * first - last + at * (first + last - 2.0 * rise))
    found = jnp.moveaxis(values[:-1] + at * step * curve, 0, 1).reshape(-1, *values.shape[1:])
    places = (nodes[:-1, None] + jnp.diff(nodes)[:, None] * at.ravel()).ravel()
    return jnp.append(places, nodes[-1]), jnp.concatenate([found, values[-1:]])


def quantiles(nodes: jax.Array, mass: jax.Array, shares: jax.Array) -> jax.Array:
    """Where the cumulative mass reaches the given shares; the density is linear between nodes."""
    if nodes.size == 1:
        return jnp.full(shares.shape, nodes[0])
    cumulative, density = _cumulative(nodes, mass)
    cell = jnp.clip(jnp.searchsorted(cumulative, shares, side="right") - 1, 0, nodes.size - 2)
    width, start, end = nodes[cell + 1] - nodes[cell], density[cell], density[cell + 1]
    rest = jnp.maximum(shares - cumulative[cell], 0.0)
    # start x + (end - start) x^2 / (2 width) = rest, solved in the form that does not cancel.
    root = jnp.sqrt(jnp.maximum(start**2 + 2.0 * (end - start) * rest / width, 0.0))
    step = 2.0 * rest / jnp.maximum(start + root, jnp.finfo(nodes.dtype).tiny)
    return nodes[cell] + jnp.clip(step, 0.0, width)


def share_below(nodes: jax.Array, mass: jax.Array, at: jax.Array) -> jax.Array:
    """Cumulative mass at a value, the density being linear between nodes."""
    cumulative, density = _cumulative(nodes, mass)
    cell = jnp.clip(jnp.searchsorted(nodes, at, side="right") - 1, 0, nodes.size - 2)
    width, start, end = nodes[cell + 1] - nodes[cell], density[cell], density[cell + 1]
    x = jnp.clip(at - nodes[cell], 0.0, width)
    return jnp.clip(cumulative[cell] + start * x + 0.5 * (end - start) * x**2 / width, 0.0, 1.0)


def density(nodes: jax.Array, mass: jax.Array) -> jax.Array:
    """Mass per unit of the axis, at the nodes."""
    return mass / _widths(nodes)


def _cumulative(nodes: jax.Array, mass: jax.Array) -> tuple[jax.Array, jax.Array]:
    height = density(nodes, mass)
    cells = 0.5 * (height[1:] + height[:-1]) * jnp.diff(nodes)
    total = jnp.sum(cells)
    return jnp.concatenate([jnp.zeros(1, nodes.dtype), jnp.cumsum(cells)]) / total, height / total


def _bend(height: jax.Array, mass: jax.Array) -> jax.Array:
    """Geometric mean of second differences of the log density along the first axis: (cell / sigma)^2 where mass is.

    Of 1 + the difference, less 1; where nodes give out at the foot of a mode a difference is huge, and means little.
    """
    bend = jnp.abs(height[2:] + height[:-2] - 2.0 * height[1:-1])
    bend = jnp.where(bend < STEEPEST, bend, STEEPEST)
    return jnp.expm1(jnp.sum(mass[1:-1] * jnp.log1p(bend)) / jnp.sum(mass))


def _spread(low: jax.Array, high: jax.Array, count: int) -> jax.Array:
    return low + (high - low) * jnp.linspace(0.0, 1.0, count) if count > 1 else jnp.reshape(low, (1,))


def _widths(nodes: jax.Array) -> jax.Array:
    """Weights of the trapezoidal rule; 1 for a single node."""
    if nodes.size == 1:
        return jnp.ones(1, nodes.dtype)
    step = jnp.diff(nodes)
    zero = jnp.zeros(1, nodes.dtype)
    return 0.5 * (jnp.concatenate([step, zero]) + jnp.concatenate([zero, step]))


def _follow(nodes: jax.Array, mass: jax.Array) -> jax.Array:
    """New nodes with equal shares of the mass between them, which also spreads to the neighbouring cells."""
    if nodes.size == 1:
        return nodes
    per_length = density(nodes, mass)
    around = jnp.maximum(per_length, jnp.maximum(jnp.roll(per_length, 1), jnp.roll(per_length, -1)))
    step = jnp.diff(nodes)
    cells = jnp.maximum(around[1:], around[:-1]) * step
    share = (1.0 - UNIFORM) * cells / jnp.sum(cells) + UNIFORM * step / (nodes[-1] - nodes[0])
    cumulative = jnp.concatenate([jnp.zeros(1, nodes.dtype), jnp.cumsum(share)])
    return jnp.interp(jnp.linspace(0.0, 1.0, nodes.size) * cumulative[-1], cumulative, nodes)
