"""The profile of Navarro, Frenk and White."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens.axes import CORE, along_axes, on_sky
from jaxmetal.numerics.ratios import arctan_ratio, log1p_ratio
from jaxmetal.numerics.tree import node, parameter


@node
class NFW:
    """Halo of Navarro, Frenk & White (1997), round or with an elliptical potential.

    Round, with x = |theta| / r_s (Wright & Brainerd 2000, ApJ 534, 34),

        kappa = 2 kappa_s (1 - F(x)) / (x^2 - 1),  F = arctan(sqrt(x^2 - 1)) / sqrt(x^2 - 1)
        alpha = 4 kappa_s r_s (ln(x / 2) + F(x)) / x

    F continued to artanh for x < 1. An ellipticity e is that of the potential, by the route of Golse & Kneib (2002, A&A
    390, 821): psi = psi_round(R), R^2 = (1 - e) x'^2 + (1 + e) y'^2 with x' along the major axis. The mass then has
    about twice that ellipticity, and a dumbbell's shape where e is above 0.25.

    Attributes:
        kappa_s: rho_s r_s / Sigma_crit.
        r_s: scale radius, arcsec.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        ellipticity: of the potential, (a^2 - b^2) / (a^2 + b^2) of its contours.
        pa: position angle of the major axis, degrees East of North.
    """

    kappa_s: float | jax.Array = parameter("", within="[0, inf)", role="convergence")
    r_s: float | jax.Array = parameter("arcsec", within="(0, inf)", role="scale radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)
    ellipticity: float | jax.Array = parameter("", within="[0, 1)", role="ellipticity", default=0.0)
    pa: float | jax.Array = parameter("deg", role="position angle", period=180.0, default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        u, v, squared = self._scaled(x, y)
        pull = 4 * self.kappa_s * _pull(squared)
        return on_sky(pull * (1 - self.ellipticity) * u, pull * (1 + self.ellipticity) * v, self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2: 2 kappa_s r_s^2 (ln^2(x / 2) + (x^2 - 1) F^2)."""
        _, _, squared = self._scaled(x, y)
        return 2 * self.kappa_s * jnp.square(self.r_s) * _depth(squared)

    def _scaled(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Offsets along the axes, and (R / r_s)^2."""
        u, v = along_axes(x - self.x0, y - self.y0, self.pa)
        radius2 = (1 - self.ellipticity) * u**2 + (1 + self.ellipticity) * v**2 + CORE**2
        return u, v, radius2 / jnp.square(self.r_s)


def _pull(squared: jax.Array) -> jax.Array:
    """(ln(x / 2) + F) / x^2 of x^2; within x = 1/2 in a form whose terms do not cancel.

    There F = ln((1 + w) / x) / w with w = sqrt(1 - x^2), and 1 - 1 / w = -x^2 / (w (1 + w)).
    """
    near = squared < 0.25
    inner, outer = jnp.where(near, squared, 0.2), jnp.where(near, 0.3, squared)
    w = jnp.sqrt(1 - inner)
    within = (-0.5 * jnp.log(inner / 4) - 0.5 * log1p_ratio(-0.5 * inner / (1 + w))) / (w * (1 + w))
    beyond = (0.5 * jnp.log(outer / 4) + arctan_ratio(outer - 1)) / outer
    return jnp.where(near, within, beyond)


def _depth(squared: jax.Array) -> jax.Array:
    """ln^2(x / 2) + (x^2 - 1) F^2 of x^2; within x = 1/2 in a form whose terms do not cancel.

    There with w as in `_pull` it is a difference of squares: ln(2 (1 + w) / x^2) (-ln(1 - x^2 / (2 (1 + w)))).
    """
    near = squared < 0.25
    inner, outer = jnp.where(near, squared, 0.2), jnp.where(near, 0.3, squared)
    w = jnp.sqrt(1 - inner)
    within = -jnp.log(2 * (1 + w) / inner) * jnp.log1p(-0.5 * inner / (1 + w))
    beyond = 0.25 * jnp.log(outer / 4) ** 2 + (outer - 1) * arctan_ratio(outer - 1) ** 2
    return jnp.where(near, within, beyond)
