"""Slopes per arcsec of other people's radii.

Ours is the deprojected radius R, which is the semi-major axis on the sky. The circularised radius (lenstronomy) is
sqrt(q) R; FRApy's radius is q R. A slope scales inversely.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def slope_from_circularised(slope: jax.Array | float, q: jax.Array | float) -> jax.Array:
    """Slope per arcsec of R from one per arcsec of sqrt(q) R."""
    return slope * jnp.sqrt(q)


def slope_to_circularised(slope: jax.Array | float, q: jax.Array | float) -> jax.Array:
    """Slope per arcsec of sqrt(q) R from one per arcsec of R."""
    return slope / jnp.sqrt(q)


def slope_from_frapy(slope: jax.Array | float, q: jax.Array | float) -> jax.Array | float:
    """Slope per arcsec of R from one per arcsec of q R."""
    return slope * q


def slope_to_frapy(slope: jax.Array | float, q: jax.Array | float) -> jax.Array | float:
    """Slope per arcsec of q R from one per arcsec of R."""
    return slope / q
