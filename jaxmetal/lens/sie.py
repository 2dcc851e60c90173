"""Singular isothermal lenses: sphere and ellipsoid."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens import isothermal
from jaxmetal.lens.axes import CORE, along_axes, on_sky
from jaxmetal.numerics.tree import node, parameter


@node
class SIS:
    """Singular isothermal sphere: alpha = theta_e theta / |theta|, kappa = theta_e / (2 |theta|).

    Attributes:
        theta_e: Einstein radius, arcsec.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
    """

    theta_e: float | jax.Array = parameter("arcsec", within="[0, inf)", role="Einstein radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        dx, dy = x - self.x0, y - self.y0
        pull = self.theta_e / jnp.sqrt(dx**2 + dy**2 + CORE**2)
        return pull * dx, pull * dy

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        return self.theta_e * jnp.sqrt((x - self.x0) ** 2 + (y - self.y0) ** 2 + CORE**2)


@node
class SIE:
    """Singular isothermal ellipsoid.

    With x' along the major axis of the mass and y' along its minor axis, its convergence is

        kappa = (theta_e / 2) / sqrt(q x'^2 + y'^2 / q)

    which is lenstronomy's and COOLEST's normalisation (product average of the axes). The deflection is
    that of Kormann, Schneider & Bartelmann (1994, A&A 284, 285), softened within 1e-8 arcsec (see `isothermal`).

    Attributes:
        theta_e: Einstein radius, arcsec.
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        q: axis ratio b/a of the mass, above 0; 1 is a singular isothermal sphere.
        pa: position angle of the mass's major axis, degrees East of North.
    """

    theta_e: float | jax.Array = parameter("arcsec", within="[0, inf)", role="Einstein radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)
    q: float | jax.Array = parameter("", within="(0, 1]", role="axis ratio", default=1.0)
    pa: float | jax.Array = parameter("deg", role="position angle", period=180.0, default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        along, across = isothermal.deflection(*along_axes(x - self.x0, y - self.y0, self.pa), self.q, 0.0)
        b = self.theta_e * jnp.sqrt(self.q)
        return on_sky(b * along, b * across, self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        psi = isothermal.potential(*along_axes(x - self.x0, y - self.y0, self.pa), self.q, 0.0)
        return self.theta_e * jnp.sqrt(self.q) * psi
