"""A flux that must be positive, integrated in closed form: exp(-a F^2 / 2 + b F) over F > 0."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc

FAR = -6.0
"""t = b / sqrt(a) below which the asymptotic series of the error function is used: right to 1e-5 there."""


def log_integral(a: jax.Array, b: jax.Array) -> jax.Array:
    """log of the integral, less t^2/2 where t = b/sqrt(a) > 0 (the height of the peak, left to the caller).

    The integral is sqrt(2 pi / a) exp(t^2/2) Phi(t).
    """
    t = b / jnp.sqrt(a)
    near = jnp.maximum(t, FAR)
    direct = jnp.log(0.5 * erfc(-near / math.sqrt(2.0))) + 0.5 * jnp.minimum(near, 0.0) ** 2
    u = -jnp.minimum(t, FAR)
    series = -jnp.log(u) - 0.5 * math.log(2.0 * math.pi) + jnp.log1p(_mills(u))
    return jnp.where(t > FAR, direct, series) + 0.5 * math.log(2.0 * math.pi) - 0.5 * jnp.log(a)


def moments(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Means of F, F^2, F^3 and F^4 under the integrand.

    In units of 1/sqrt(a): E1 = t + phi(t)/Phi(t), E2 = 1 + t E1, and E(n+1) = t E(n) + n E(n-1).
    """
    root = jnp.sqrt(a)
    t = b / root
    near = jnp.maximum(t, FAR)
    density = jnp.exp(-0.5 * near**2) / math.sqrt(2.0 * math.pi)
    first = near + density / (0.5 * erfc(-near / math.sqrt(2.0)))
    second = 1.0 + near * first
    third = near * second + 2.0 * first
    fourth = near * third + 3.0 * second
    u = -jnp.minimum(t, FAR)
    # Far in the tail F is nearly exponential with mean 1/u.
    tails = (1.0 / u - 2.0 / u**3, 2.0 / u**2 - 10.0 / u**4, 6.0 / u**3 - 54.0 / u**5, 24.0 / u**4 - 336.0 / u**6)
    found = [
        jnp.where(t > FAR, direct, tail) / root ** (n + 1)
        for n, (direct, tail) in enumerate(zip((first, second, third, fourth), tails, strict=True))
    ]
    return found[0], found[1], found[2], found[3]


def draw(key: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """One F per entry, from the density proportional to the integrand."""
    root = jnp.sqrt(a)
    t = b / root
    near = jnp.maximum(t, FAR)
    body = near + jax.random.truncated_normal(key, -near, jnp.inf, jnp.shape(t), near.dtype)
    tail = jax.random.exponential(key, jnp.shape(t), near.dtype) / -jnp.minimum(t, FAR)
    return jnp.where(t > FAR, body, tail) / root


def _mills(u: jax.Array) -> jax.Array:
    """sqrt(2 pi) u exp(u^2/2) Phi(-u) - 1, for large u."""
    v = 1.0 / u**2
    return v * (-1.0 + v * (3.0 + v * (-15.0 + v * (105.0 - 945.0 * v))))
