"""Kobulnicky & Kewley 2004 (ApJ 617, 240): metallicity from R23 and O32 with the ionisation parameter iterated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.lines.ratios import RATIOS

ITERATIONS = 30
SPLIT = -1.2
"""log [NII]6584/[OII] that separates the lower from the upper branch (their section 4)."""


def kk04(fluxes: Mapping[str, Any], upper: Any = None) -> jax.Array:
    """12 + log(O/H) by their eqs 13 (ionisation parameter), 16 (lower) and 17 (upper branch).

    Args:
        fluxes: dereddened, line name -> array, with OII, OIII4959, OIII5007 and Hbeta; NII6584 unless `upper` is given.
        upper: whether the upper branch holds; by default where log [NII]/[OII] is above -1.2, and Z is NaN where that
            is unknown.

    Returns:
        Shape of the fluxes; NaN where a sum of lines in R23, O32 or, unless `upper` is given, [NII]/[OII] is not
        positive.

    Raises:
        InputError: if a line is missing.
    """
    x = RATIOS["R23"].log10(fluxes)
    y = RATIOS["O32sum"].log10(fluxes)
    if upper is None:
        nii_oii = RATIOS["O32"].log10(fluxes) - RATIOS["O3N2_lines"].log10(fluxes)
        x, upper = jnp.where(jnp.isnan(nii_oii), jnp.nan, x), nii_oii > SPLIT
    z = jnp.where(upper, 8.7, 8.2) + jnp.zeros_like(x)
    return jax.lax.fori_loop(0, ITERATIONS, lambda _, z: metallicity(x, log_q(y, z), upper), z)


def log_q(y: jax.Array, z: jax.Array) -> jax.Array:
    """log ionisation parameter (cm/s) from y = log O32 (both [OIII] lines) and Z: eq. 13."""
    above = 32.81 - 1.153 * y**2 + z * (-3.396 - 0.025 * y + 0.1444 * y**2)
    below = 4.603 - 0.3119 * y - 0.163 * y**2 + z * (-0.48 + 0.0271 * y + 0.02037 * y**2)
    return above / below


def metallicity(x: jax.Array, q: jax.Array, upper: jax.Array) -> jax.Array:
    """12 + log(O/H) from x = log R23 and the log ionisation parameter: eqs 16 and 17."""
    low = 9.40 + 4.65 * x - 3.17 * x**2 - q * (0.272 + 0.547 * x - 0.513 * x**2)
    high = (
        9.72
        - 0.777 * x
        - 0.951 * x**2
        - 0.072 * x**3
        - 0.811 * x**4
        - q * (0.0737 - 0.0713 * x - 0.141 * x**2 + 0.0373 * x**3 - 0.058 * x**4)
    )
    return jnp.where(upper, high, low)
