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

BLOCK = 4
"""Lenses that are evaluated in one step."""


@node
class Stack:
    """The sum of lenses of one kind, compiled once and evaluated block after block.

        Stack(of=SIS(theta_e=theta_e, x0=x0, y0=y0))  # three arrays of one length

    Attributes:
        of: a lens whose parameters are arrays with one number for each lens, or numbers that all of them share.
        block: lenses that are evaluated in one step: more compile longer, and spare an accelerator steps.
    """

    of: Any = dataclasses.field(metadata={"several": True})
    block: int = static(default=BLOCK)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec.

        Summed as alpha_x + i alpha_y: of one array the compiler makes one loop, in which nothing is stored that both
        components need.
        """
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))

        def of_one(lens: Any) -> jax.Array:
            return jax.lax.complex(*jnp.broadcast_arrays(*lens(x, y)))

        total = self._summed(of_one, jnp.zeros(x.shape, complex))
        return total.real, total.imag

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2, where one lens has a potential."""
        x, y = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(y, float))
        return self._summed(lambda lens: lens.potential(x, y), jnp.zeros_like(x))

    def _summed(self, of_one: Callable[[Any], jax.Array], total: jax.Array) -> jax.Array:
        """Without what lies between being kept for derivatives: it is computed again, block by block."""
        if self.block < 1:
            raise InputError(f"Stack: expected a block of 1 lens or more, found {self.block}; leave it out.")
        shared, each = _parted(self.of)
        n = _length(each)
        whole = n - n % self.block
        structure: Any = jax.tree.structure(self.of)

        def added(total: jax.Array, leaves: list[Any]) -> jax.Array:
            for k in range(_length(leaves)):
                one = [None if leaf is None else leaf[k] for leaf in leaves]
                total = total + of_one(structure.unflatten(_joined(shared, one)))
            return total

        blocks = [None if a is None else a[:whole].reshape(-1, self.block) for a in each]
        if whole:
            total, _ = jax.lax.scan(lambda sum_, leaves: (jax.checkpoint(added)(sum_, leaves), None), total, blocks)
        return added(total, [None if a is None else a[whole:] for a in each])


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
