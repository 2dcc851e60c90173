"""A random field: what is left of a property, or of the logarithm of a light, once its radial profile is taken away."""

from __future__ import annotations

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter, static

PERIOD = 3.0
"""In units of `extent`: around the torus, opposite borders of the square of interest are one `extent` apart."""


@node
class Field:
    """A stationary Gaussian process of mean 0 on the disc, by its Fourier modes on a torus.

        P = amplitude sum_jk sqrt(s_jk) weights_jk phi_j(v) phi_k(u),    weights_jk ~ Normal(0, 1)
        phi = 1, sqrt(2) cos(kappa x), sqrt(2) sin(kappa x), sqrt(2) cos(2 kappa x), ...,   kappa = 2 pi / (3 extent)
        s_jk = S(omega_jk) / sum S,    S(omega) = (1 + length^2 omega^2 / (2 nu))^(-nu - 1)

    so that the covariance of two points a distance R apart is amplitude^2 times the Matern function of R / length: the
    exponential exp(-R / length) for nu = 1/2 (that of Metha et al. 2021, MNRAS 508, 489), smoother with nu, and
    exp(-R^2 / (2 length^2)), S = exp(-length^2 omega^2 / 2), for infinite nu (spectra: Rasmussen & Williams 2006,
    chapter 4.2, in two dimensions). The standard deviation is `amplitude` everywhere. Give the weights the prior
    Normal(0, 1), and add the field to a radial profile with `Sum`; `recipes.field` does both.

    Errors: waves shorter than 6 extent / m (m modes per axis) are missing, and their variance is given to the others.
    With m = 6 extent / length the covariance is right to 0.02 amplitude^2 (rms) for nu of 3/2 and more; nu = 1/2 asks
    for three times as many. Lengths beyond about half of `extent` reach around the torus.

    Attributes:
        weights: of the modes, shape (m, m) with m odd: constant, then cosine and sine of each wave, along v and u.
        amplitude: standard deviation of the field, in the property's unit (dex).
        length: correlation length, arcsec on the disc.
        extent: half the side of the square of interest, arcsec on the disc; the field repeats after 3 of these.
        nu: smoothness: 1/2, 3/2, 5/2, ..., or infinity.
    """

    turns: ClassVar[int] = 1

    weights: jax.Array = parameter("", role="coefficient")
    amplitude: jax.Array | float = parameter("property", within="[0, inf)", role="scatter of a field")
    length: jax.Array | float = parameter("arcsec", within="(0, inf)", role="correlation length")
    extent: jax.Array | float = parameter("arcsec", within="(0, inf)", role="extent")
    nu: float = static(default=1.5)

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        modes = self.amplitude * jnp.exp(0.5 * self._log_shares()) * self.weights
        return jnp.sum((self._waves(v) @ modes) * self._waves(u), axis=-1)

    def log_deviations(self) -> jax.Array:
        """Logarithm of what each weight is multiplied with, in the shape of the weights."""
        return jnp.log(self.amplitude) + 0.5 * self._log_shares()

    def shares(self) -> jax.Array:
        """Of the variance, mode by mode, in the shape of the weights; they sum to 1."""
        return jnp.exp(self._log_shares())

    def _log_shares(self) -> jax.Array:
        along = self._frequencies()
        reduced = jnp.square(self.length) * (jnp.square(along)[:, None] + jnp.square(along))
        # Relative to the constant mode, in logarithms: short lengths and long ones neither overflow nor vanish.
        log = -0.5 * reduced if math.isinf(self.nu) else -(self.nu + 1.0) * jnp.log1p(reduced / (2.0 * self.nu))
        return log - jax.nn.logsumexp(log)

    def smallest_scale(self) -> jax.Array:
        """The shortest wave over 2 pi, arcsec, or a quarter of the correlation length where that is more."""
        return jnp.maximum(1.0 / self._frequencies()[-1], 0.25 * jnp.asarray(self.length))

    def _frequencies(self) -> jax.Array:
        """Angular spatial frequency of each mode along an axis, rad/arcsec."""
        waves = (jnp.arange(jnp.shape(self.weights)[-1]) + 1) // 2
        return 2.0 * jnp.pi / (PERIOD * self.extent) * waves

    def _waves(self, x: jax.Array) -> jax.Array:
        """The modes along one axis, in a last axis of their own."""
        angle = jnp.asarray(x)[..., None] * self._frequencies()
        cosine = jnp.arange(angle.shape[-1]) % 2 == 1
        wave = jnp.sqrt(2.0) * jnp.sin(angle + jnp.where(cosine, 0.5 * jnp.pi, 0.0))
        return wave.at[..., 0].set(1.0)
