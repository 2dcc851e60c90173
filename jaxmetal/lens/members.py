"""The galaxies of a cluster, whose masses follow their light."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lens.dpie import DPIE
from jaxmetal.lens.stack import BLOCK, Stack
from jaxmetal.numerics.tree import node, parameter, static

Numbers = float | np.ndarray | jax.Array


@node
class Members:
    """Cluster galaxies as `DPIE` lenses on scaling relations: three free numbers for all of them.

        sigma = sigma* L^(1/4), so that b0_i = b0 L^(1/2);  core_i = core L^(1/2);  cut_i = cut L^(1/2)

    with L in units of L* (Limousin et al. 2005; the exponents are those of constant mass-to-light ratio).

    Attributes:
        luminosity: L / L* of each galaxy, shape (n,).
        x0: centres, arcsec to the West, shape (n,).
        y0: centres, arcsec to the North, shape (n,).
        b0: strength of a galaxy of L*, arcsec (see `DPIE` and `b0_from_velocity_dispersion`).
        core: its core radius, arcsec.
        cut: its cut radius, arcsec.
        q: axis ratio of the mass of each, shape (n,), or of all.
        pa: position angle of each, degrees East of North, shape (n,), or of all.
        sigma_slope: exponent of the velocity dispersion.
        core_slope: exponent of the core radius.
        cut_slope: exponent of the cut radius.
        block: galaxies that are evaluated at a time.
    """

    luminosity: np.ndarray | jax.Array = parameter("", several=True, within="(0, inf)", role="luminosity")
    x0: np.ndarray | jax.Array = parameter("arcsec", several=True, role="centre x")
    y0: np.ndarray | jax.Array = parameter("arcsec", several=True, role="centre y")
    b0: float | jax.Array = parameter("arcsec", within="[0, inf)", role="lens strength")
    core: float | jax.Array = parameter("arcsec", within="[0, inf)", role="core radius")
    cut: float | jax.Array = parameter("arcsec", within="(0, inf)", role="cut radius")
    q: Numbers = parameter("", several=True, within="(0, 1]", role="axis ratio", default=1.0)
    pa: Numbers = parameter("deg", several=True, role="position angle", period=180.0, default=0.0)
    sigma_slope: float | jax.Array = parameter("", role="exponent of luminosity", default=0.25)
    core_slope: float | jax.Array = parameter("", role="exponent of luminosity", default=0.5)
    cut_slope: float | jax.Array = parameter("", role="exponent of luminosity", default=0.5)
    block: int = static(default=BLOCK)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec."""
        return self.stack()(x, y)

    def potential(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whose gradient is the deflection, arcsec^2."""
        return self.stack().potential(x, y)

    def stack(self) -> Stack:
        """The galaxies, each with its own numbers."""
        log_l = jnp.log(jnp.asarray(self.luminosity, float))
        galaxies = DPIE(
            b0=self.b0 * jnp.exp(2.0 * self.sigma_slope * log_l),
            core=self.core * jnp.exp(self.core_slope * log_l),
            cut=self.cut * jnp.exp(self.cut_slope * log_l),
            x0=jnp.asarray(self.x0),
            y0=jnp.asarray(self.y0),
            q=jnp.asarray(self.q),
            pa=jnp.asarray(self.pa),
        )
        return Stack(of=galaxies, block=self.block)
