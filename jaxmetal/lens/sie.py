"""The singular isothermal ellipsoid."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter

CORE = 1e-8  # arcsec; keeps value and gradient finite at the very centre, unseen beyond a micro-arcsecond


@node
class SIE:
    """Singular isothermal ellipsoid.

    With x' along the major axis of the mass and y' along its minor axis, its convergence is

        kappa = (theta_e / 2) / sqrt(q x'^2 + y'^2 / q)

    which is lenstronomy's and COOLEST's normalisation (product average of the axes). The deflection is
    that of Kormann, Schneider & Bartelmann (1994, A&A 284, 285) with a core, in the form of Keeton (2001,
    astro-ph/0102341, section 3.2.1).

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
        sin, cos = jnp.sin(jnp.deg2rad(self.pa)), jnp.cos(jnp.deg2rad(self.pa))
        dx, dy = x - self.x0, y - self.y0
        along_major, along_minor = _on_axes(-sin * dx + cos * dy, -cos * dx - sin * dy, self.q)
        b = self.theta_e * jnp.sqrt(self.q)
        return -b * (sin * along_major + cos * along_minor), b * (cos * along_major - sin * along_minor)


def _on_axes(u: jax.Array, v: jax.Array, q: float | jax.Array) -> tuple[jax.Array, jax.Array]:
    """Deflection along the major (u) and minor (v) axes for kappa = 1 / (2 sqrt(q^2 u^2 + v^2))."""
    psi = jnp.sqrt(q**2 * (CORE**2 + u**2) + v**2)
    a, b = u / (psi + CORE), v / (psi + q**2 * CORE)
    f2 = 1 - jnp.asarray(q) ** 2
    return a * _arctan_ratio(f2 * a**2), b * _arctan_ratio(-f2 * b**2)


def _arctan_ratio(z: jax.Array) -> jax.Array:
    """arctan(sqrt z) / sqrt z, continued to artanh(sqrt -z) / sqrt -z for -1 < z < 0: smooth through z = 0."""
    tiny = jnp.abs(z) < 1e-3
    root = jnp.sqrt(jnp.where(tiny, 1.0, jnp.abs(z)))
    inside = jnp.where(z < 0, jnp.minimum(root, 1 - jnp.finfo(root.dtype).eps), 0.5)
    exact = jnp.where(z < 0, jnp.arctanh(inside) / root, jnp.arctan(root) / root)
    series = 1 - z * (1 / 3 - z * (1 / 5 - z * (1 / 7 - z * (1 / 9 - z / 11))))
    return jnp.where(tiny, series, exact)
