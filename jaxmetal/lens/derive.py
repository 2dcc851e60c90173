"""What a deflection implies: convergence, shear and magnification of any lens, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.numerics.quantities import plain

Lens = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


class Distortion(NamedTuple):
    """The Jacobian A = d beta / d theta = ((1 - kappa - gamma1, -gamma2 + w), (-gamma2 - w, 1 - kappa + gamma1)).

    Attributes:
        kappa: convergence.
        gamma1: shear along x (West) and y (North).
        gamma2: shear along the diagonals.
        rotation: w, half the curl of the deflection; zero for a single lens plane.
        mu: signed magnification 1 / det A.
    """

    kappa: jax.Array
    gamma1: jax.Array
    gamma2: jax.Array
    rotation: jax.Array
    mu: jax.Array

    @property
    def gamma(self) -> jax.Array:
        """Strength of the shear, sqrt(gamma1^2 + gamma2^2)."""
        return jnp.hypot(self.gamma1, self.gamma2)

    def lifted(self, dx: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """A^-1 (dx, dy): the step on the sky that is a step on the source's plane."""
        kappa, gamma1, gamma2, w, mu = self
        along = (1 - kappa + gamma1) * dx + (gamma2 - w) * dy
        return mu * along, mu * ((gamma2 + w) * dx + (1 - kappa - gamma1) * dy)


def distortion(lens: Lens, x: jax.Array, y: jax.Array) -> Distortion:
    """Convergence, shear, rotation and magnification of `lens` at sky positions in arcsec (arrays of one shape).

    NaN where the deflection is: a map that ends somewhere is not without distortion beyond.
    """
    x, y = (jnp.asarray(plain(name, axis, "arcsec"), float) for name, axis in (("x", x), ("y", y)))
    x, y = jnp.broadcast_arrays(x, y)
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    along, across = jnp.stack([one, zero]), jnp.stack([zero, one])
    # Both directions at once: half the program, as the lens is traced a single time.
    alpha, ((xx, xy), (yx, yy)) = jax.vmap(lambda *step: jax.jvp(lens, (x, y), step), out_axes=(None, 0))(along, across)
    known = jnp.isfinite(alpha[0]) & jnp.isfinite(alpha[1])
    xx, xy, yx, yy = (jnp.where(known, derivative, jnp.nan) for derivative in (xx, xy, yx, yy))
    return Distortion(
        kappa=0.5 * (xx + yy),
        gamma1=0.5 * (xx - yy),
        gamma2=0.5 * (xy + yx),
        rotation=0.5 * (yx - xy),
        mu=1 / ((1 - xx) * (1 - yy) - xy * yx),
    )
