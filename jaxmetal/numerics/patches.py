"""Small patches added to a large array, each at a place of its own."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def put(field: jax.Array, patches: jax.Array, top: jax.Array, left: jax.Array) -> jax.Array:
    """A field with patches added to it, all of which lie within it.

    Args:
        field: shape (channels, ny, nx).
        patches: shape (patches, channels, n, m).
        top: row of each patch's first row, integers, shape (patches,).
        left: column of each patch's first column.
    """
    if patches.shape[1:] == field.shape:
        return field + patches.sum(axis=0)
    whole = jax.lax.ScatterDimensionNumbers((1, 2, 3), (), (1, 2))
    return jax.lax.scatter_add(field, jnp.stack([top, left], axis=-1), patches, whole)
