"""A function of every place of a large array, whose derivatives are computed strip by strip.

Derivatives of a chain of operations keep something of each: for large arrays tens of others, which take longer to be
written and read than to be computed twice. Of a strip of rows they stay in a processor's cache, and are computed anew
for each strip when they are needed. The function itself is that of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

SIZE = 2**16
"""Places in a strip, at most, where more than one of its rows would be; shorter ones are slower, by their calls."""

Result = TypeVar("Result")


def in_strips(
    function: Callable[[Any, Any], Result], numbers: Any, arrays: Any, shape: tuple[int, ...], size: int = SIZE
) -> Result:
    """`function(numbers, arrays)`, derived by strips of rows.

    Args:
        function: to a tree of arrays (..., ny, nx), each place of which depends on that place of `arrays` alone. What
            the result may be derived by is among its arguments.
        numbers: the same for all places.
        arrays: tree of arrays whose last axes but one are as long as `shape` says; others are the same for all strips.
        shape: rows and columns, (ny, nx).
        size: places in a strip.
    """
    ny, nx = shape
    count = -(-ny // max(1, size // nx))
    if count == 1:
        return function(numbers, arrays)
    structure: Any
    leaves, structure = jax.tree.flatten((numbers, arrays))
    fixed = len(jax.tree.leaves(numbers))
    cut = [k >= fixed and jnp.ndim(leaf) >= 2 and jnp.shape(leaf)[-2] == ny for k, leaf in enumerate(leaves)]

    def of_leaves(*leaves: Any) -> Result:
        return function(*structure.unflatten(leaves))

    whole = jax.custom_jvp(of_leaves)

    def moved(at: Sequence[Any], moves: Sequence[Any]) -> tuple[Any, Any]:
        return whole(*at), _moved(of_leaves, cut, partial(_strips, count=count, rows=-(-ny // count)), ny, at, moves)

    whole.defjvp(moved, symbolic_zeros=True)
    return whole(*leaves)


def _moved(
    function: Callable[..., Any],
    cut: Sequence[bool],
    strips: Callable[[Any], jax.Array],
    ny: int,
    at: Sequence[Any],
    moves: Sequence[Any],
) -> Any:
    """By how much the result moves with the leaves."""
    moving = [k for k, move in enumerate(moves) if not isinstance(move, SymbolicZero)]
    pieces = [k for k, c in enumerate(cut) if c]

    def strip(parts: tuple[dict[int, Any], dict[int, Any]]) -> Any:
        here, along = parts
        now = {k: here.get(k, leaf) for k, leaf in enumerate(at)}

        def of_moving(*leaves: Any) -> Any:
            return function(*(now | dict(zip(moving, leaves, strict=True))).values())

        return jax.jvp(of_moving, tuple(now[k] for k in moving), tuple(along.get(k, moves[k]) for k in moving))[1]

    parts = {k: strips(at[k]) for k in pieces}, {k: strips(moves[k]) for k in pieces if k in moving}
    found = jax.lax.map(jax.checkpoint(strip, prevent_cse=False), parts)
    return jax.tree.map(lambda leaf: _joined(leaf, ny), found)


def _strips(leaf: jax.Array, count: int, rows: int) -> jax.Array:
    """(..., ny, nx) as (count, ..., rows, nx); the last row is repeated to fill the last strip."""
    *lead, ny, nx = leaf.shape
    full = jnp.pad(leaf, [(0, 0)] * len(lead) + [(0, count * rows - ny), (0, 0)], mode="edge")
    return jnp.moveaxis(full.reshape(*lead, count, rows, nx), -3, 0)


def _joined(leaf: jax.Array, ny: int) -> jax.Array:
    """The inverse."""
    _, *lead, _, nx = leaf.shape
    return jnp.moveaxis(leaf, 0, -3).reshape(*lead, -1, nx)[..., :ny, :]
