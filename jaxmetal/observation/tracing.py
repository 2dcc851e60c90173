"""The lens on one set of samples: what of the deflection is the same for every draw is computed once.

A deflector with nothing free is summed into one array. One whose free numbers enter linearly (the scale of a map, a
shear, shifts of regions, weights of modes) is arrays times these numbers. Only the others are evaluated anew.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lens.derive import Lens
from jaxmetal.machine import Program
from jaxmetal.numerics.refine import Cells, between
from jaxmetal.numerics.tree import node, static
from jaxmetal.prior import is_fixed, is_site
from jaxmetal.scene import Position, deflection

MOST = 64
"""Numbers of one deflector up to which an array for each of them is kept, or it is called between the samples."""

LINEAR = 1e-9
"""Departure from linearity, over the largest deflection, that is round-off."""


@node
class OnSamples:
    """Deflectors restricted to sample positions.

    Attributes:
        fixed: sum of what no number changes, arcsec, shape (2, Ny, Nx) or (2, 1, 1); NaN where a map does not reach.
        modes: deflector -> its change with each of its numbers, shape (numbers, 2, Ny, Nx).
        numbers: deflector -> which of its leaves those numbers are.
        traced: deflectors that are evaluated for every draw.
        tables: likewise, of deflectors made of arrays, kept apart where finer samples are to be traced by interpolation
            of what is known at these; None where they are not.
        called: deflectors that are evaluated at finer samples, being made of few numbers.
    """

    fixed: jax.Array | np.ndarray
    modes: dict[str, Any] = dataclasses.field(default_factory=dict)
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = static(default=())
    traced: tuple[str, ...] = static(default=())
    tables: Any = None
    called: tuple[str, ...] = static(default=())

    def deflection(self, lens: dict[str, Lens], theta: Position) -> jax.Array:
        """alpha at the samples, arcsec, shape (2, Ny, Nx).

        Args:
            lens: the deflectors, every leaf a number.
            theta: positions of the samples.
        """
        total = jnp.asarray(self.fixed) + (0.0 if self.tables is None else self.tables)
        for name, places in self.numbers:
            total = total + jnp.tensordot(_flat(lens[name], places), self.modes[name], axes=1)
        if self.traced:
            total = total + jnp.stack(deflection({name: lens[name] for name in self.traced}, *theta))
        return total

    def between(self, lens: dict[str, Lens], cells: Cells, theta: Position) -> jax.Array:
        """alpha at finer samples, arcsec, shape (2, K, factor, factor).

        Args:
            lens: the deflectors, every leaf a number.
            cells: where among the samples.
            theta: their positions.
        """
        total = jnp.stack(deflection({name: lens[name] for name in self.called}, *theta))
        if self.tables is not None and self.tables.size > 2:
            total = total + between(jnp.nan_to_num(self.tables), cells)
        for name, places in self.numbers:
            if name not in self.called:
                modes = jnp.stack([between(mode, cells) for mode in self.modes[name]])
                total = total + jnp.tensordot(_flat(lens[name], places), modes, axes=1)
        return total


def restricted(prior: dict[str, Any], now: dict[str, Any], theta: Position, finer: bool = False) -> OnSamples:
    """The deflectors of a prior on fixed samples.

    Args:
        prior: name -> deflector, with distributions in the places of free numbers.
        now: the same with typical numbers.
        theta: positions of the samples, arcsec.
        finer: whether finer samples will be traced too.
    """
    arrays = [name for name in prior if finer and _numbers_in(now[name]) > MOST]
    still = [name for name, deflector in prior.items() if is_fixed(deflector)]
    tables = _total(now, [name for name in still if name in arrays], theta)
    fixed = _total(now, [name for name in still if name not in arrays], theta)
    modes, numbers = {}, []
    for name in prior:
        if name in still:
            continue
        places = _free_leaves(prior[name])
        found = _modes(now[name], places, theta)
        if found is not None:
            offset, modes[name] = found
            fixed, tables = (fixed, tables + offset) if name in arrays else (fixed + offset, tables)
            numbers.append((name, places))
    traced = tuple(name for name in prior if name not in still and name not in modes)
    return OnSamples(
        fixed=fixed,
        modes=modes,
        numbers=tuple(sorted(numbers)),
        traced=traced,
        tables=tables if arrays else None,
        called=tuple(name for name in prior if finer and (name in traced or name not in arrays)),
    )


def _total(lens: dict[str, Any], names: list[str], theta: Position) -> np.ndarray:
    """alpha of some deflectors; a single zero for none of them."""
    return np.stack(deflected({name: lens[name] for name in names}, *theta)) if names else np.zeros((2, 1, 1))


def _numbers_in(deflector: Any) -> int:
    return sum(int(np.size(leaf)) for leaf in jax.tree.leaves(deflector))


def _free_leaves(deflector: Any) -> tuple[int, ...]:
    leaves = jax.tree.leaves(deflector, is_leaf=is_site)
    return tuple(place for place, leaf in enumerate(leaves) if is_site(leaf))


def _modes(deflector: Any, places: tuple[int, ...], theta: Position) -> tuple[np.ndarray, np.ndarray] | None:
    """alpha = offset + sum_k number_k mode_k, if so; found by trying, so that any deflector can have it.

    Both are arrays (2, Ny, Nx), the modes with the numbers in front; a NaN is in the offset alone, as its product with
    a number would reach the derivative.
    """
    begin = np.asarray(_flat(deflector, places))
    if begin.size > MOST:
        return None

    def at(numbers: np.ndarray) -> np.ndarray:
        return np.stack(_with_numbers(deflector, jnp.asarray(numbers), places, *theta))

    step = np.maximum(np.abs(begin), 1.0)
    base = at(begin)
    modes = np.stack([(at(begin + one) - base) / one.sum() for one in np.diag(step)])
    random = np.random.default_rng(0)
    for _ in range(2):
        move = step * random.uniform(-1.0, 1.0, begin.size)
        expected = base + np.tensordot(move, modes, axes=1)
        found = at(begin + move)
        if not np.array_equal(np.isnan(found), np.isnan(base)):
            return None
        scale = np.nanmax(np.abs(np.concatenate([base.ravel(), found.ravel()])), initial=1e-300)
        tolerance = max(LINEAR, 100.0 * float(np.finfo(base.dtype).eps))
        off = np.abs(expected - found)[~np.isnan(base)]
        if not (off <= tolerance * scale).all():
            return None
    modes = np.nan_to_num(modes)
    return base - np.tensordot(begin, modes, axes=1), modes


def _flat(deflector: Any, places: tuple[int, ...]) -> jax.Array:
    """Some leaves of a deflector as one vector."""
    leaves = jax.tree.leaves(deflector)
    return jnp.concatenate([jnp.ravel(leaves[place]) for place in places])


# One program each, instead of dozens for their single operations.
deflected = Program(deflection)


def _with_numbers(deflector: Any, numbers: jax.Array, places: tuple[int, ...], x: Any, y: Any) -> Any:
    """The deflection with these numbers in some leaves."""
    structure: Any
    leaves, structure = jax.tree.flatten(deflector)
    start = 0
    for place in places:
        shape = np.shape(leaves[place])
        size = int(np.prod(shape, dtype=int))
        leaves[place] = numbers[start : start + size].reshape(shape)
        start += size
    return deflected({"": structure.unflatten(leaves)}, x, y)
