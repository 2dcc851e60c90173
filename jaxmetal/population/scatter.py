"""Intrinsic scatter about a relation, Gaussian or with a Student-t's tails, blurred by Gaussian errors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, logsumexp

NODES = 40
"""Scales of the Student-t's mixture; the log density is good to 3e-4 out to 10 scatters for 1 <= nu <= 60."""


def log_density(
    residual: jax.Array, scatter: jax.Array, variance: jax.Array | None = None, nu: jax.Array | None = None
) -> jax.Array:
    """Log density of residuals from a relation.

    Gaussian: N(r; 0, scatter^2 + variance). Student-t with `nu` degrees of freedom, without errors: its density; with
    errors its convolution with a Gaussian, as the t is a mixture of Gaussians, int N(r; 0, scatter^2 / w + variance)
    Gamma(w; nu/2, nu/2) dw, by the trapezoidal rule in ln w, which converges exponentially.

    Args:
        residual: any shape.
        scatter: standard deviation (scale, for a Student-t) of the intrinsic scatter, broadcast to `residual`.
        variance: of the errors, broadcast to `residual`; None: no errors.
        nu: degrees of freedom; None: Gaussian.
    """
    if nu is None:
        total = scatter**2 + (0.0 if variance is None else variance)
        return -0.5 * (residual**2 / total + jnp.log(2.0 * jnp.pi * total))
    if variance is None:
        constant = gammaln(0.5 * (nu + 1.0)) - gammaln(0.5 * nu) - 0.5 * jnp.log(jnp.pi * nu) - jnp.log(scatter)
        return constant - 0.5 * (nu + 1.0) * jnp.log1p((residual / scatter) ** 2 / nu)
    log_weight, precision = _scales(nu)
    total = jnp.square(scatter)[..., None] / precision + variance[..., None]
    normal = -0.5 * (residual[..., None] ** 2 / total + jnp.log(2.0 * jnp.pi * total))
    return logsumexp(normal + log_weight, axis=-1)


def _scales(nu: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Log weights and precisions w of the mixture, t = w nu/2 being Gamma(nu/2, 1)."""
    half = 0.5 * nu
    low, high = jnp.maximum(-20.0 / half, -30.0), jnp.log(half + 6.0 * jnp.sqrt(half) + 10.0)
    u = low + (high - low) * jnp.linspace(0.0, 1.0, NODES)
    return jax.nn.log_softmax(half * u - jnp.exp(u)), jnp.exp(u) / half
