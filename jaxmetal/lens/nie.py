"""The isothermal ellipsoid with a core."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxmetal.lens import isothermal
from jaxmetal.lens.axes import along_axes, on_sky
from jaxmetal.numerics.tree import node, parameter


@node
class NIE:
    """Isothermal ellipsoid with a core.

        kappa = (theta_e / 2) / sqrt(core^2 + q x'^2 + y'^2 / q)

    with x' along the major axis and y' along the minor axis: an SIE where `core` is 0. lenstronomy's "NIE".
    The deflection is that of Keeton (2001, astro-ph/0102341, section 3.2.1).

    Attributes:
        theta_e: Einstein radius without the core, arcsec.
        core: radius of the core, arcsec (product average of the axes).
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        q: axis ratio b/a of the mass.
        pa: position angle of the mass's major axis, degrees East of North.
    """

    theta_e: float | jax.Array = parameter("arcsec", within="[0, inf)", role="Einstein radius")
    core: float | jax.Array = parameter("arcsec", within="[0, inf)", role="core radius")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)
    q: float | jax.Array = parameter("", within="(0, 1]", role="axis ratio", default=1.0)
    pa: float | jax.Array = parameter("deg", role="position angle", period=180.0, default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        root, core = self._scaled()
        along, across = isothermal.deflection(*along_axes(x - self.x0, y - self.y0, self.pa), self.q, core)
        return on_sky(self.theta_e * root * along, self.theta_e * root * across, self.pa)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        root, core = self._scaled()
        return self.theta_e * root * isothermal.potential(*along_axes(x - self.x0, y - self.y0, self.pa), self.q, core)

    def _scaled(self) -> tuple[jax.Array, jax.Array]:
        """sqrt(q), and the core along the major axis."""
        root = jnp.sqrt(self.q)
        return root, self.core / root
