"""Variation with azimuth."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxmetal.numerics.radius import angle, radius
from jaxmetal.numerics.tree import node, parameter, static


@node
class AzimuthalHarmonics:
    """P = R^2 / (R^2 + r_core^2) sum_k amplitudes_k cos(m_k (phi - phases_k)); add it to a radial profile with `Sum`.

    Attributes:
        m: number of periods around the disc of each term, (k,) integers >= 1.
        amplitudes: shape (k,), in the property's unit.
        phases: azimuth of a maximum of each term, shape (k,), degrees.
        r_core: within this radius the variation fades, so that the centre has one value, arcsec.
    """

    m: tuple[int, ...] = static(within="[1, 100]")
    amplitudes: jax.Array = parameter("property", role="amplitude", several=True)
    phases: jax.Array = parameter(
        "deg", role="phase", period=lambda waves, _: [360.0 / m for m in waves.m], several=True
    )
    r_core: jax.Array | float = parameter("arcsec", within="[0, inf)", role="core radius", default=0.0)

    @property
    def turns(self) -> int:
        """What all terms have in common."""
        return math.gcd(*self.m)

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """The property at (u, v) in arcsec."""
        phi = angle(u, v)
        waves = [self.amplitudes[k] * jnp.cos(m * (phi - jnp.deg2rad(self.phases[k]))) for k, m in enumerate(self.m)]
        return away_from_centre(u, v, self.r_core) * sum(waves)

    def scale_beyond(self, radius: jax.Array | float) -> jax.Array:
        """Between two crests, over 2 pi, arcsec."""
        return jnp.hypot(self.r_core, radius) / max(self.m, default=1)


def away_from_centre(u: jax.Array, v: jax.Array, r_core: jax.Array | float) -> jax.Array:
    """R^2 / (R^2 + r_core^2): 0 at the centre (also for r_core = 0) and 1 far from it, smoothly."""
    r = radius(u, v)
    softened = radius(r, r_core)
    return jnp.square(r / jnp.where(softened == 0.0, 1.0, softened))
