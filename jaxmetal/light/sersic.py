"""The Sersic profile."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

from jaxmetal.numerics.radius import power
from jaxmetal.numerics.tree import node, parameter

_B_SERIES = (-1.0 / 3.0, 4.0 / 405.0)
_B_FIT = (1.80227450e-3, 8.53190196e-5, -8.57197190e-5, -7.18031907e-6, 1.19187648e-5, -3.12743957e-6, 2.91302542e-7)
"""Coefficients of b in powers of 1/n: of order 0 and 1 exact, of orders 2 to 8 fitted (see `sersic_b`)."""


@node
class Sersic:
    """A Sersic (1963) profile (Graham & Driver 2005, PASA 22, 118, eqs 1 and 2) given by its total flux.

        I(R) = flux b^(2n) / (2 pi n Gamma(2n) r_eff^2) exp(-b (R / r_eff)^(1/n)),    b = sersic_b(n)

    Attributes:
        flux: total flux, in the units of the image.
        r_eff: half-light radius along the major axis, arcsec.
        n: Sersic index, 0.4 to 8; 0.5 is Gaussian, 1 exponential, 4 de Vaucouleurs.
    """

    turns: ClassVar[int] = 0

    flux: jax.Array | float = parameter("flux", within="[0, inf)", role="flux")
    r_eff: jax.Array | float = parameter("arcsec", within="(0, inf)", role="half-light radius")
    n: jax.Array | float = parameter("", within="[0.4, 8]", role="Sersic index")

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        b = sersic_b(self.n)
        # b^(2n) / Gamma(2n) in logarithms, and inside the exponential: neither factor then overflows float32.
        log_norm = 2.0 * self.n * jnp.log(b) - gammaln(2.0 * self.n)
        shape = jnp.exp(log_norm - b * power((jnp.square(u) + jnp.square(v)) / jnp.square(self.r_eff), 0.5 / self.n))
        return self.flux * shape / (2.0 * jnp.pi * self.n * jnp.square(self.r_eff))

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """Gaussian radius across the ridge that a thin disc makes of it, arcsec: (-d ln I / d R / R)^(-1/2)."""
        within = power(jnp.asarray(radius) / self.r_eff, 2.0 - 1.0 / self.n)
        return self.r_eff * jnp.sqrt(self.n / sersic_b(self.n) * within)

    def half_light_radius(self) -> jax.Array | float:
        """Along the major axis, arcsec."""
        return self.r_eff


def sersic_b(n: jax.Array | float) -> jax.Array | float:
    """The b that puts half of a Sersic profile's light within r_eff: P(2n, b) = 1/2, P the incomplete gamma function.

        b = 2n - 1/3 + 4/(405 n) + p(1/n) / n^2

    The first terms are the expansion of Ciotti & Bertin (1999, A&A 352, 447, eq. 18). Its higher terms fail for
    n < 1; in their place p is a polynomial fitted to the exact root. Off by less than 1e-8 for n >= 0.4.
    """
    series = 0.0
    for coefficient in reversed(_B_SERIES + _B_FIT):
        series = series / n + coefficient
    return 2.0 * n + series
