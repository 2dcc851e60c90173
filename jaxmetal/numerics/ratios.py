"""Functions over their arguments, smooth through zero in value and derivative."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

HALVINGS = 3
"""Of the angle: what is left lies between the SERIES' ends for z above -0.9999."""
SERIES = (
    1.0, -0.3333333333333333, 0.20000000000000454, -0.14285714285722984, 0.11111111110132563, -0.0909090909545541,
    0.07692308335281738, -0.06666653719157138, 0.05882341309592007, -0.05266849356100703, 0.04697774680006072,
    -0.04953097947897672, 0.003046995163747472, -0.1904081653926806, -0.4003450988696791, -0.849501408490656,
    -0.9073717540811594, -0.5531424635840261,
)  # fmt: skip
"""arctan(sqrt z) / sqrt z in powers of z, a Chebyshev fit from -0.34 to 0.041, off by 1e-18 at most."""


NEAR_ZERO, TERMS = 0.02, 9
"""Below which |z| the derivative is a power series, and of how many terms: 0.02^9 is round-off."""


@jax.custom_jvp
def arctan_ratio(z: jax.Array) -> jax.Array:
    """arctan(sqrt z) / sqrt z, continued to artanh(sqrt -z) / sqrt -z for -1 < z < 0; to 2e-15, below -0.99 to 1e-13.

    By tan(angle / 2^k) = sqrt(z) / d_k with d_0 = 1 and d_k+1 = d_k + sqrt(d_k^2 + z), which holds on both sides, and a
    series about 0: three roots, one division and products, in a quarter of the time of both functions, and no branch
    whose derivative has to be kept finite.
    """
    part = 1 + jnp.sqrt(jnp.maximum(1 + z, jnp.finfo(jnp.result_type(z)).eps))
    for _ in range(HALVINGS - 1):
        part = part + jnp.sqrt(part * part + z)
    inverse = 1 / part
    w = z * inverse * inverse
    square = w * w
    # In four chains, which a processor runs side by side.
    a, b, c, d = (_polynomial(SERIES[k::4], square * square) for k in range(4))
    return 2**HALVINGS * inverse * (a + square * c + w * (b + square * d))


@arctan_ratio.defjvp
def _arctan_ratio_moved(at: tuple[jax.Array], moves: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """By f' = (1 / (1 + z) - f) / (2 z), in a third of the time of the derivative of all steps."""
    (z,), (move,) = at, moves
    found = arctan_ratio(z)
    near = jnp.abs(z) < NEAR_ZERO
    inverse = 1 / jnp.maximum(1 + z, jnp.finfo(jnp.result_type(z)).eps)
    slope = (inverse - found) / jnp.where(near, 1.0, 2 * z)
    series = _polynomial([(-1) ** n * n / (2 * n + 1) for n in range(1, TERMS + 1)], jnp.where(near, z, 0.0))
    return found, jnp.where(near, series, slope) * move


def _polynomial(coefficients: Sequence[float], z: jax.Array) -> jax.Array:
    """In rising powers."""
    total = jnp.full_like(z, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * z + coefficient
    return total


def log1p_ratio(w: jax.Array) -> jax.Array:
    """ln(1 + w) / w for w > -1."""
    tiny = jnp.abs(w) < 1e-3
    exact = jnp.log1p(jnp.where(tiny, 1.0, w)) / jnp.where(tiny, 1.0, w)
    return jnp.where(tiny, 1 - w * (1 / 2 - w * (1 / 3 - w * (1 / 4 - w / 5))), exact)
