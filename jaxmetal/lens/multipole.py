"""Multipoles: lenses that are boxy, discy or lopsided."""

from __future__ import annotations

from numbers import Integral

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError
from jaxmetal.lens.axes import CORE, along_axes, on_sky
from jaxmetal.numerics.tree import node, parameter, static


@node
class Multipole:
    """An isothermal multipole of order m, which departs from a round lens.

        kappa = amplitude cos(m phi) / (2 r),  psi = amplitude r cos(m phi) / (1 - m^2)

    with phi the azimuth from the direction at `pa` (Xu et al. 2015, MNRAS 447, 3189, appendix B3). lenstronomy's
    "MULTIPOLE". Under a lens whose Einstein radius is theta_e, amplitude / theta_e is the relative departure of kappa.

    Attributes:
        m: order, 2 or more: 3 is lopsided, 4 boxy or discy.
        amplitude: a_m, arcsec; either sign.
        pa: position angle of a maximum of kappa where the amplitude is positive, degrees East of North.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
    """

    m: int = static()
    amplitude: float | jax.Array = parameter("arcsec", role="amplitude")
    pa: float | jax.Array = parameter("deg", role="phase", period=lambda one, _: 360.0 / one.m, default=0.0)
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        scale, m = self._scale(), self.m
        _, cos, sin = self._directions(x, y)
        waves, (real, imaginary) = _power(cos, sin, self.m)[0], _power(cos, sin, self.m - 1)
        along = scale * ((1 - m) * cos * waves + m * real)
        return on_sky(along, scale * ((1 - m) * sin * waves - m * imaginary), self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        radius, cos, sin = self._directions(x, y)
        return self._scale() * radius * _power(cos, sin, self.m)[0]

    def _scale(self) -> float | jax.Array:
        """amplitude / (1 - m^2)."""
        if not isinstance(self.m, Integral) or self.m < 2:
            raise InputError(
                f"Multipole: expected a whole order m of 2 or more, found {self.m}; a dipole is another centre."
            )
        return self.amplitude / (1 - self.m**2)

    def _directions(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Radius, and cosine and sine of the azimuth."""
        u, v = along_axes(x - self.x0, y - self.y0, self.pa)
        radius = jnp.sqrt(u**2 + v**2 + CORE**2)
        return radius, u / radius, v / radius


def _power(real: jax.Array, imaginary: jax.Array, exponent: int) -> tuple[jax.Array, jax.Array]:
    """(real + i imaginary)^exponent."""
    x, y = real, imaginary
    for _ in range(exponent - 1):
        x, y = x * real - y * imaginary, x * imaginary + y * real
    return x, y
