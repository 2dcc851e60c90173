"""A flux that must be positive, integrated in closed form: exp(-a F^2 / 2 + b F) over F > 0."""

from __future__ import annotations

import math
from typing import NamedTuple

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


class Moments(NamedTuple):
    """Of F under the integrand; variances in forms that do not cancel, so that single precision serves.

    Attributes:
        mean: of F.
        square: mean of F^2.
        variance: of F.
        skew: covariance of F and F^2.
        spread: variance of F^2.
    """

    mean: jax.Array
    square: jax.Array
    variance: jax.Array
    skew: jax.Array
    spread: jax.Array


def moments(a: jax.Array, b: jax.Array) -> Moments:
    """Means and variances of F and F^2 under the integrand.

    In units of 1/sqrt(a), with h = phi(t)/Phi(t): E1 = t + h, E2 = 1 + t E1, and the recursion
    E(n+1) = t E(n) + n E(n-1) gives var F = 1 - h E1, cov(F, F^2) = 2 E1 - h E2 and var F^2 = 4 E2 - 2 - t h E2.
    """
    scale = 1.0 / jnp.sqrt(a)
    t = b * scale
    near = jnp.maximum(t, FAR)
    h = jnp.exp(-0.5 * near**2) / (math.sqrt(0.5 * math.pi) * erfc(-near / math.sqrt(2.0)))
    first = near + h
    second = 1.0 + near * first
    body = first, second, 1.0 - h * first, 2.0 * first - h * second, 4.0 * second - 2.0 - near * h * second
    v = 1.0 / -jnp.minimum(t, FAR)
    # Far in the tail F is nearly exponential with mean v.
    w = v**2
    tail = (
        v * (1.0 - 2.0 * w),
        w * (2.0 - 10.0 * w),
        w * (1.0 - 6.0 * w),
        v * w * (4.0 - 40.0 * w),
        w**2 * (20.0 - 296.0 * w),
    )
    units = scale, scale**2, scale**2, scale**3, scale**4
    return Moments(*(jnp.where(t > FAR, one, other) * unit for one, other, unit in zip(body, tail, units, strict=True)))


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
