"""External shear."""

from __future__ import annotations

import jax

from jaxmetal.numerics.tree import node, parameter


@node
class Shear:
    """A constant external shear.

    alpha = (gamma1 dx + gamma2 dy, gamma2 dx - gamma1 dy) with (dx, dy) the offset from (x0, y0): gamma1 > 0
    stretches images East-West and, x pointing West, gamma2 > 0 stretches them from North-West to South-East.

    Attributes:
        gamma1: shear along x (West) and y (North).
        gamma2: shear along the diagonals.
        x0: where the deflection is zero, arcsec to the West.
        y0: where the deflection is zero, arcsec to the North.
    """

    gamma1: float | jax.Array = parameter("", role="shear")
    gamma2: float | jax.Array = parameter("", role="shear")
    x0: float | jax.Array = parameter("arcsec", role="centre x", default=0.0)
    y0: float | jax.Array = parameter("arcsec", role="centre y", default=0.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        dx, dy = x - self.x0, y - self.y0
        return self.gamma1 * dx + self.gamma2 * dy, self.gamma2 * dx - self.gamma1 * dy

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        dx, dy = x - self.x0, y - self.y0
        return 0.5 * self.gamma1 * (dx**2 - dy**2) + self.gamma2 * dx * dy
