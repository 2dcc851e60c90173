"""Intrinsic scatter about a relation, Gaussian or with a Student-t's tails, blurred by errors of one or two sides."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, log_ndtr, logsumexp

NODES = 40
"""Scales of the Student-t's mixture; the log density is good to 3e-4 out to 10 scatters for 1 <= nu <= 60."""


def log_density(
    residual: jax.Array,
    scatter: jax.Array,
    variance: jax.Array | None = None,
    nu: jax.Array | None = None,
    sides: jax.Array | None = None,
) -> jax.Array:
    """Log density of residuals from a relation.

    Gaussian: N(r; 0, scatter^2 + variance). Student-t with `nu` degrees of freedom, without errors: its density; with
    errors its convolution with a Gaussian, as the t is a mixture of Gaussians, int N(r; 0, scatter^2 / w + variance)
    Gamma(w; nu/2, nu/2) dw, by the trapezoidal rule in ln w, which converges exponentially. Errors with two sides are
    in closed form, too: see `_split`.

    Args:
        residual: any shape.
        scatter: standard deviation (scale, for a Student-t) of the intrinsic scatter, broadcast to `residual`.
        variance: of the errors, broadcast to `residual`; None: no errors.
        nu: degrees of freedom; None: Gaussian.
        sides: lower and upper errors of the measured values, beside `variance`; shape (2, *residual.shape).
    """
    blurred: Callable[..., jax.Array] = _normal if sides is None else _split
    if nu is None:
        return blurred(residual, scatter**2 + (0.0 if variance is None else variance), sides)
    if variance is None and sides is None:
        constant = gammaln(0.5 * (nu + 1.0)) - gammaln(0.5 * nu) - 0.5 * jnp.log(jnp.pi * nu) - jnp.log(scatter)
        return constant - 0.5 * (nu + 1.0) * jnp.log1p((residual / scatter) ** 2 / nu)
    log_weight, precision = _scales(nu)
    total = jnp.square(scatter)[..., None] / precision + (0.0 if variance is None else variance[..., None])
    each = blurred(residual[..., None], total, None if sides is None else sides[..., None])
    return logsumexp(each + log_weight, axis=-1)


def _normal(residual: jax.Array, variance: jax.Array, _: None = None) -> jax.Array:
    return -0.5 * (residual**2 / variance + jnp.log(2.0 * jnp.pi * variance))


def _split(residual: jax.Array, variance: jax.Array, sides: jax.Array) -> jax.Array:
    """Log of int p(d | y) N(y; m, variance) dy, r = d - m, where p(d | y) has two sides (`likelihood.SplitNormal`).

    Each side s of (lower, upper), l + u their sum, adds 2 s / (l + u) N(r; 0, s^2 + v) times the probability that y is
    on that side of d, given d: Phi(+-r s / (v (s^2 + v))^(1/2)), + for the lower one.
    """
    across = jnp.asarray([1.0, -1.0]).reshape(2, *(1,) * jnp.ndim(residual))
    total = sides**2 + variance
    there = log_ndtr(across * residual * sides / jnp.sqrt(variance * total))
    return logsumexp(jnp.log(2.0 * sides / jnp.sum(sides, axis=0)) + _normal(residual, total) + there, axis=0)


def _scales(nu: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Log weights and precisions w of the mixture, t = w nu/2 being Gamma(nu/2, 1)."""
    half = 0.5 * nu
    low, high = jnp.maximum(-20.0 / half, -30.0), jnp.log(half + 6.0 * jnp.sqrt(half) + 10.0)
    u = low + (high - low) * jnp.linspace(0.0, 1.0, NODES)
    return jax.nn.log_softmax(half * u - jnp.exp(u)), jnp.exp(u) / half
