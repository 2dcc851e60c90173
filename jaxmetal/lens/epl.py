"""The elliptical power law."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens.axes import CORE, Number, along_axes, on_sky
from jaxmetal.numerics.radius import power
from jaxmetal.numerics.tree import node, parameter, static


@node
class EPL:
    """Elliptical power law.

        kappa = (3 - gamma) / 2 (theta_e / sqrt(q x'^2 + y'^2 / q))^(gamma - 1)

    with x' along the major axis and y' along the minor axis: lenstronomy's and COOLEST's normalisation, an SIE at
    gamma = 2. The deflection is the series of Tessore & Metcalf (2015, A&A 580, A79) with a fixed number of terms; what
    is left out is below ((1 - q) / (1 + q))^terms of it: with the 32 of the default 2e-12 at q = 0.4, 3e-9 at 0.3, 2e-6
    at 0.2.

    Attributes:
        theta_e: Einstein radius, arcsec.
        gamma: slope of the mass density in space, between 1 and 3.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        q: axis ratio b/a of the mass.
        pa: position angle of the mass's major axis, degrees East of North.
        terms: of the series.
    """

    theta_e: float | jax.Array = parameter("arcsec", within="[0, inf)", role="Einstein radius")
    gamma: float | jax.Array = parameter("", within="(1, 3)", role="mass slope", default=2.0)
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)
    q: float | jax.Array = parameter("", within="(0, 1]", role="axis ratio", default=1.0)
    pa: float | jax.Array = parameter("deg", role="position angle", period=180.0, default=0.0)
    terms: int = static(within="[1, 1000]", default=32)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        return on_sky(*self._along(*along_axes(x - self.x0, y - self.y0, self.pa)), self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2: theta . alpha / (3 - gamma), as of every power law."""
        u, v = along_axes(x - self.x0, y - self.y0, self.pa)
        along, across = self._along(u, v)
        return (u * along + v * across) / (3 - self.gamma)

    def _along(self, u: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        """On the axes: 2 b / (1 + q) (b / R)^(t - 1) e^(i phi) 2F1(1, t / 2; 2 - t / 2; -f e^(2 i phi))."""
        t, q = self.gamma - 1.0, jnp.asarray(self.q)
        radius = jnp.sqrt(q**2 * (u**2 + CORE**2) + v**2)
        cos, sin = q * u / radius, v / radius
        f = (1 - q) / (1 + q)
        real, imaginary = _series(-f * (cos**2 - sin**2), -f * 2 * cos * sin, t, self.terms)
        scale = 2 / (1 + q) * power(self.theta_e * jnp.sqrt(q), t) * jnp.exp((1 - t) * jnp.log(radius))
        return scale * (cos * real - sin * imaginary), scale * (cos * imaginary + sin * real)


def _series(x: jax.Array, y: jax.Array, t: Number, terms: int) -> tuple[jax.Array, jax.Array]:
    """sum_n c_n (x + i y)^n by Horner's rule, c_n / c_(n-1) = (2 n - (2 - t)) / (2 n + (2 - t))."""
    n = jnp.arange(1, terms)
    factors = jnp.cumprod((2 * n - (2 - t)) / (2 * n + (2 - t)))
    real, imaginary = jnp.zeros_like(x), jnp.zeros_like(y)
    for factor in factors[::-1]:
        real, imaginary = factor + real, imaginary
        real, imaginary = x * real - y * imaginary, x * imaginary + y * real
    return 1 + real, imaginary
