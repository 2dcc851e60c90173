"""A smooth light with clumps."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.field import Field
from jaxmetal.numerics.profile import half_light_radius, is_kinked, smallest_scale
from jaxmetal.numerics.tree import node


@node
class Clumpy:
    """A smooth profile times a log-normal random field: as free as a picture, positive, and smooth beforehand.

        I = smooth(u, v) exp(f(u, v) - amplitude^2 / 2)

    so that the mean of I over all fields f is `smooth`. The field is the one that a metallicity may have
    (`tracer.Field`): a stationary Gaussian process whose weights have the prior Normal(0, 1); its `amplitude` is the
    scatter of ln I, its `length` the size of clumps, its `extent` reaches over what is seen of the source. Its waves
    move with the frame, and together they can do whatever a smooth profile can: fits crawl where all are free. Hold the
    source's frame and the numbers of `smooth`, about where the source is, and give what the light carries a frame of
    its own (`Carried.frame`), which may turn and move. Log-normal fields reconstruct sources behind lenses in Rustig et
    al. (2024, A&A 682, A146).

    Attributes:
        smooth: any light.
        field: of ln I, a pure number.
    """

    smooth: Any
    field: Field = dataclasses.field(metadata={"room": "field"})

    def __call__(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """Flux per arcsec^2 of the disc's plane at (u, v) in arcsec."""
        return self.smooth(u, v) * jnp.exp(self.field(u, v) - 0.5 * jnp.square(self.field.amplitude))

    def scale_beyond(self, radius: Any) -> Any:
        """That of the smooth light, or of clumps, which are sharper the more they stand out."""
        clumps = self.field.smallest_scale() / jnp.maximum(1.0, self.field.amplitude)
        return jnp.minimum(smallest_scale(self.smooth, radius), clumps)

    @property
    def kinked(self) -> bool:
        """Whether the smooth light is."""
        return is_kinked(self.smooth)

    def half_light_radius(self) -> Any:
        """Of the smooth light, arcsec; None where it says nothing."""
        return half_light_radius(self.smooth)
