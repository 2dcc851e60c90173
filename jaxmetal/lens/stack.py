"""Many lenses of one kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.tree import node, static

BLOCK = 8
"""Lenses that are evaluated side by side."""
TILE = 8192
"""Positions that are, on a processor: few, so that what a block of lenses needs for them stays in its cache."""


@node
class Stack:
    """The sum of lenses of one kind, compiled once and evaluated block after block.

        Stack(of=SIS(theta_e=theta_e, x0=x0, y0=y0))  # three arrays of one length

    Attributes:
        of: a lens whose parameters are arrays with one number for each lens, or numbers that all of them share.
        block: lenses that are evaluated at a time.
    """

    of: Any = dataclasses.field(metadata={"several": True})
    block: int = static(default=BLOCK)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))
        return _in_tiles(
            lambda x, y: self._summed(lambda lens: lens(x, y), (jnp.zeros_like(x), jnp.zeros_like(y))), x, y
        )

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2, where one lens has a potential."""
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))
        return _in_tiles(lambda x, y: self._summed(lambda lens: lens.potential(x, y), jnp.zeros_like(x)), x, y)

    def _summed(self, of_one: Any, total: Any) -> Any:
        """Without what lies between being kept for derivatives: it is computed again, block by block."""
        if self.block < 1:
            raise InputError(f"Stack: expected a block of 1 lens or more, found {self.block}; leave it out.")
        shared, each = _parted(self.of)
        n = _length(each)
        whole = n - n % self.block
        structure: Any = jax.tree.structure(self.of)

        def added(total: Any, leaves: list[jax.Array | None]) -> Any:
            lenses = structure.unflatten(_joined(shared, leaves))
            axes = structure.unflatten([None if leaf is None else 0 for leaf in leaves])
            found = jax.vmap(of_one, in_axes=(axes,))(lenses)
            return jax.tree.map(lambda sum_, values: sum_ + values.sum(axis=0), total, found)

        blocks = [None if a is None else a[:whole].reshape(-1, self.block) for a in each]
        if whole:
            total, _ = jax.lax.scan(lambda sum_, leaves: (jax.checkpoint(added)(sum_, leaves), None), total, blocks)
        return total if whole == n else added(total, [None if a is None else a[whole:] for a in each])


def stacked(lenses: Sequence[Any]) -> Stack:
    """A `Stack` of lenses of one kind.

    Raises:
        InputError: if there are none, or of several kinds.
    """
    kinds = {jax.tree.structure(lens) for lens in lenses}
    if len(kinds) != 1:
        found = ", ".join(sorted({type(lens).__name__ for lens in lenses})) or "none"
        raise InputError(
            f"stacked: expected lenses of one kind and with one structure, found {found}; stack each kind."
        )
    return Stack(of=jax.tree.map(lambda *leaves: np.asarray(leaves, float), *lenses))


def _in_tiles(of: Callable[[jax.Array, jax.Array], Any], x: jax.Array, y: jax.Array) -> Any:
    """A function of positions, on a processor tile after tile, elsewhere of all at once."""
    if x.size <= TILE:
        return of(x, y)
    count = -(-x.size // TILE)

    def tiled(x: jax.Array, y: jax.Array) -> Any:
        more = count * TILE - x.size
        tiles = [jnp.pad(axis.ravel(), (0, more), mode="edge").reshape(count, TILE) for axis in (x, y)]
        found = jax.lax.map(lambda tile: of(*tile), tiles)
        return jax.tree.map(lambda values: values.ravel()[: x.size].reshape(x.shape), found)

    return jax.lax.platform_dependent(x, y, cpu=tiled, default=of)


def _parted(lens: Any) -> tuple[list[Any], list[Any]]:
    """The leaves that all lenses share, and those with one number for each; None in the place of the others."""
    leaves = jax.tree.leaves(lens)
    shared = [leaf if np.ndim(leaf) == 0 else None for leaf in leaves]
    return shared, [None if np.ndim(leaf) == 0 else jnp.asarray(leaf, float) for leaf in leaves]


def _joined(shared: list[Any], each: list[Any]) -> list[Any]:
    return [one if one is not None else other for one, other in zip(each, shared, strict=True)]


def _length(each: list[Any]) -> int:
    shapes = {leaf.shape for leaf in each if leaf is not None}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        found = " and ".join(map(str, sorted(shapes))) or "numbers alone"
        raise InputError(
            f"Stack: expected parameters with one number for each lens, found shapes {found}; correct them."
        )
    return int(next(iter(shapes))[0])
