"""The dual pseudo-isothermal elliptical mass distribution of cluster models."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.lens import isothermal
from jaxmetal.lens.axes import Number, along_axes, on_sky
from jaxmetal.numerics.ratios import arctan_ratio, log1p_ratio
from jaxmetal.numerics.tree import node, parameter


@node
class DPIE:
    """Dual pseudo-isothermal elliptical mass distribution in Lenstool's normalisation (Limousin et al. 2005).

        kappa = (b0 / 2) cut / (cut - core) (1 / sqrt(core^2 + R^2) - 1 / sqrt(cut^2 + R^2))
        R = (1 + q) / 2 sqrt(x'^2 + y'^2 / q^2)

    with x' along the major axis and y' along the minor axis, so that the mass is elliptical, as in Kassiola & Kovner
    (1993, ApJ 417, 450). The deflection is the difference of two isothermal ellipsoids with cores (`isothermal`),
    written so that it stays exact where q = 1 and where cut = core. For a velocity dispersion see
    `b0_from_velocity_dispersion`, for other normalisations `normalisation_to_b0`.

    Attributes:
        b0: strength, arcsec: the Einstein radius of the singular isothermal sphere that it is between its radii.
        core: radius of the core, arcsec.
        cut: radius beyond which kappa falls as 1/R^3, arcsec.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        q: axis ratio b/a of the mass; of Lenstool's ellipticity e, sqrt((1 - e) / (1 + e)).
        pa: position angle of the mass's major axis, degrees East of North.
    """

    b0: float | jax.Array = parameter("arcsec", within="[0, inf)", role="lens strength")
    core: float | jax.Array = parameter("arcsec", within="[0, inf)", role="core radius")
    cut: float | jax.Array = parameter("arcsec", within="(0, inf)", role="cut radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)
    q: float | jax.Array = parameter("", within="(0, 1]", role="axis ratio", default=1.0)
    pa: float | jax.Array = parameter("deg", role="position angle", period=180.0, default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        along, across = self._between(x, y).deflection()
        return on_sky(self._strength() * along, self._strength() * across, self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        return self._strength() * self._between(x, y).potential()

    def _strength(self) -> Number:
        """b0 cut / (cut - core), times 2 q / (1 + q) of R, times the difference of the scaled radii."""
        return self.b0 * self.cut * 4 * self.q / (1 + self.q) ** 2

    def _between(self, x: jax.Array, y: jax.Array) -> _Between:
        u, v = along_axes(x - self.x0, y - self.y0, self.pa)
        a, s = (2 * length / (1 + self.q) for length in (self.core, self.cut))
        psi = (isothermal.psi(u, v, self.q, length) for length in (a, s))
        return _Between(u, v, jnp.asarray(self.q), a, s, *psi)


class _Between(NamedTuple):
    """(isothermal with core a - isothermal with core s) / (s - a), on the axes."""

    u: jax.Array
    v: jax.Array
    q: jax.Array
    a: Number
    s: Number
    psi_a: jax.Array
    psi_s: jax.Array

    @property
    def _rise(self) -> jax.Array:
        """(psi_s - psi_a) / (s - a) / q^2."""
        return (self.s + self.a) / (self.psi_s + self.psi_a)

    def deflection(self) -> tuple[jax.Array, jax.Array]:
        """By arctan A - arctan B = arctan((A - B) / (1 + A B)), of whose A - B the factor s - a is taken out."""
        q2 = self.q**2
        f2, gap, radii, psis = 1 - q2, self.s - self.a, self.s + self.a, self.psi_s + self.psi_a
        near, far = self.psi_a + self.a, self.psi_s + self.s
        along = self.u * (psis + q2 * radii) / (psis * (near * far + f2 * self.u**2))
        near, far = self.psi_a + q2 * self.a, self.psi_s + q2 * self.s
        across = self.v * q2 * (psis + radii) / (psis * (near * far - f2 * self.v**2))
        return along * arctan_ratio(f2 * (gap * along) ** 2), across * arctan_ratio(-f2 * (gap * across) ** 2)

    def potential(self) -> jax.Array:
        """u alpha_u + v alpha_v + (s L_s - a L_a) / (s - a), L = ln sqrt((psi + core)^2 + (1 - q^2) u^2)."""
        along, across = self.deflection()
        f2, gap = 1 - self.q**2, self.s - self.a
        near, far = self.psi_a + self.a, self.psi_s + self.s
        inner = near**2 + f2 * self.u**2
        growth = (1 + self.q**2 * self._rise) * (near + far) / inner
        rise = 0.5 * growth * log1p_ratio(gap * growth)
        return self.u * along + self.v * across + 0.5 * jnp.log(far**2 + f2 * self.u**2) + self.a * rise
