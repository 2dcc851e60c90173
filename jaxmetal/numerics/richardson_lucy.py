"""Undoing a blur, a little."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp


def richardson_lucy(blurred: jax.Array, blur: Callable[[jax.Array], jax.Array], steps: int) -> jax.Array:
    """Some steps of Richardson (1972, J. Opt. Soc. Am. 62, 55) and Lucy (1974, AJ 79, 745), begun at the picture.

        u <- u / (B^T 1) B^T (d / B u)

    What is negative takes no part: it is put aside, and added again at the end. Few steps sharpen structure well above
    the noise; many would sharpen the noise.

    Args:
        blurred: d, of any shape.
        blur: B, linear and positive, from such an array to another.
        steps: how many.
    """
    positive = jnp.maximum(blurred, 0.0)
    _, back = jax.vjp(blur, positive)
    (weight,) = back(jnp.ones_like(positive))
    floor = jnp.finfo(positive.dtype).tiny ** 0.5

    def step(_: int, found: jax.Array) -> jax.Array:
        expected = blur(found)
        lit = expected > floor
        ratio = jnp.where(lit, positive / jnp.where(lit, expected, 1.0), 0.0)
        return found * back(ratio)[0] / jnp.maximum(weight, floor)

    return jax.lax.fori_loop(0, steps, step, positive) + jnp.minimum(blurred, 0.0)
