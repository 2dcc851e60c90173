"""Functions over their arguments, smooth through zero in value and derivative."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def arctan_ratio(z: jax.Array) -> jax.Array:
    """arctan(sqrt z) / sqrt z, continued to artanh(sqrt -z) / sqrt -z for -1 < z < 0."""
    tiny = jnp.abs(z) < 1e-3
    root = jnp.sqrt(jnp.where(tiny, 1.0, jnp.abs(z)))
    inside = jnp.where(z < 0, jnp.minimum(root, 1 - jnp.finfo(root.dtype).eps), 0.5)
    exact = jnp.where(z < 0, jnp.arctanh(inside) / root, jnp.arctan(root) / root)
    series = 1 - z * (1 / 3 - z * (1 / 5 - z * (1 / 7 - z * (1 / 9 - z / 11))))
    return jnp.where(tiny, series, exact)


def log1p_ratio(w: jax.Array) -> jax.Array:
    """ln(1 + w) / w for w > -1."""
    tiny = jnp.abs(w) < 1e-3
    exact = jnp.log1p(jnp.where(tiny, 1.0, w)) / jnp.where(tiny, 1.0, w)
    return jnp.where(tiny, 1 - w * (1 / 2 - w * (1 / 3 - w * (1 / 4 - w / 5))), exact)
