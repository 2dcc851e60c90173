"""What unused pixels hold must not matter."""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp

Tree = TypeVar("Tree")


def usable(used: jax.Array, tree: Tree) -> Tree:
    """Puts a harmless 1 into the unused pixels of every per-pixel array of a tree.

    Masking a result is not enough: the derivative of a NaN or of sqrt(0) that `where` throws away is still NaN. So
    the inputs are cleaned, before any arithmetic. An array is per-pixel when it has the shape of `used`; numbers
    and other arrays pass unchanged.

    Args:
        used: boolean, True where a pixel is part of the fit.
        tree: noises, data, model, light: anything JAX sees through.
    """
    shape = jnp.shape(used)

    def clean(leaf: jax.Array) -> jax.Array:
        return jnp.where(used, leaf, jnp.ones_like(leaf)) if jnp.shape(leaf) == shape else leaf

    return jax.tree.map(clean, tree)
