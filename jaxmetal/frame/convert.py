"""Shapes in other people's conventions."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.quantities import plain
from jaxmetal.numerics.radius import angle, radius


def to_ellipticity(q: jax.Array | float, pa: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """Components (e1, e2) = (1 - q)/(1 + q) (cos 2 pa, sin 2 pa) of axis ratio q and pa in degrees East of North."""
    q, pa = plain("q", q, ""), plain("pa", pa, "deg")
    e, twice = (1.0 - q) / (1.0 + q), jnp.deg2rad(2.0 * pa)
    return e * jnp.cos(twice), e * jnp.sin(twice)


def from_ellipticity(e1: jax.Array | float, e2: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """The axis ratio q and pa (degrees, -90 to 90, 0 for a circle) of our components (e1, e2)."""
    e = radius(e1, e2)
    return (1.0 - e) / (1.0 + e), jnp.rad2deg(0.5 * angle(e1, e2))


def ellipticity_to_lenstronomy(
    e1: jax.Array | float, e2: jax.Array | float, *, x_to: Literal["west", "east"]
) -> tuple[jax.Array | float, jax.Array | float]:
    """Our (e1, e2) as lenstronomy's, whose angle counts counter-clockwise from its +x axis.

    With x to the West the axes are ours and the angle is pa + 90 degrees; with x to the East (its own RA axis) the
    angle is 90 - pa. The conversion is its own inverse.

    Args:
        e1: our first component.
        e2: our second component.
        x_to: where lenstronomy's x axis points.

    Raises:
        InputError: `x_to` is neither.
    """
    if x_to not in ("west", "east"):
        raise InputError(f'x_to must be "west" or "east", found {x_to!r}: say where that code\'s x axis points')
    return -e1, e2 if x_to == "east" else -e2


def ellipticity_from_lenstronomy(
    e1: jax.Array | float, e2: jax.Array | float, *, x_to: Literal["west", "east"]
) -> tuple[jax.Array | float, jax.Array | float]:
    """Our (e1, e2) from lenstronomy's; arguments as in `ellipticity_to_lenstronomy`."""
    return ellipticity_to_lenstronomy(e1, e2, x_to=x_to)
