"""Cholesky factors of small symmetric matrices, one per point of a large array: unrolled, so that points vectorise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

Rows = Sequence[Sequence[jax.Array]]
"""Entry [i][j], j <= i, of a symmetric or lower-triangular matrix at every point; all of one shape."""


def cholesky(matrix: Rows, floor: float) -> list[list[jax.Array]]:
    """L with L L^T = matrix; squared diagonal entries below `floor` are set to it, so that L always exists."""
    factor: list[list[jax.Array]] = []
    for i, row in enumerate(matrix):
        found: list[jax.Array] = []
        for j in range(i + 1):
            rest = row[j] - sum(a * b for a, b in zip(found, (factor[j] if j < i else found)[:j], strict=True))
            found.append(jnp.sqrt(jnp.maximum(rest, floor)) if j == i else rest / factor[j][j])
        factor.append(found)
    return factor


def log_determinant(factor: Rows) -> jax.Array:
    """Of L L^T."""
    return 2.0 * jnp.log(math.prod(row[-1] for row in factor)) if factor else jnp.zeros(())


def forward(factor: Rows, right: Sequence[jax.Array]) -> list[jax.Array]:
    """The x with L x = right."""
    found: list[jax.Array] = []
    for row, value in zip(factor, right, strict=True):
        found.append((value - sum(a * b for a, b in zip(row, found, strict=False))) / row[-1])
    return found


def backward(factor: Rows, right: Sequence[jax.Array]) -> list[jax.Array]:
    """The x with L^T x = right."""
    size = len(factor)
    found: dict[int, jax.Array] = {}
    for i in reversed(range(size)):
        found[i] = (right[i] - sum(factor[j][i] * found[j] for j in range(i + 1, size))) / factor[i][i]
    return [found[i] for i in range(size)]
