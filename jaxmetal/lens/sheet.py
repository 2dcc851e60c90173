"""A sheet of mass."""

from __future__ import annotations

import jax

from jaxmetal.numerics.tree import node, parameter


@node
class Sheet:
    """A constant convergence: alpha = kappa theta, theta the offset from (x0, y0).

    Attributes:
        kappa: its convergence; may be negative, as a correction of other lenses.
        x0: where the deflection is zero, arcsec to the West.
        y0: where the deflection is zero, arcsec to the North.
    """

    kappa: float | jax.Array = parameter("", role="convergence")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        return self.kappa * (x - self.x0), self.kappa * (y - self.y0)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        return 0.5 * self.kappa * ((x - self.x0) ** 2 + (y - self.y0) ** 2)
