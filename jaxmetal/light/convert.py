"""Sersic profiles in lenstronomy's parameters.

lenstronomy writes amp exp(-k ((R / R_sersic)^(1/n) - 1)) with the circularised radius R = sqrt(q) R_major and k =
1.9992 n - 0.3271 (lenstronomy/LensModel/Profiles/sersic_utils.py), so that its R_sersic does not hold exactly half of
the light.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

from jaxmetal.light.sersic import Sersic, sersic_b
from jaxmetal.numerics.quantities import plain


def sersic_from_lenstronomy(
    amp: jax.Array | float, r_sersic: jax.Array | float, n: jax.Array | float, q: jax.Array | float
) -> Sersic:
    """Our profile that equals lenstronomy's SERSIC_ELLIPSE.

        flux = 2 pi n R_sersic^2 amp e^k k^(-2n) Gamma(2n)        r_eff = R_sersic / sqrt(q) (b / k)^n

    Args:
        amp: surface brightness at R_sersic, flux per arcsec^2 of the sky.
        r_sersic: circularised radius, arcsec.
        n: Sersic index.
        q: axis ratio of the frame.

    Raises:
        InputError: if a quantity is of another dimension.
    """
    r_sersic, n, q = plain("r_sersic", r_sersic, "arcsec"), plain("n", n, ""), plain("q", q, "")
    return Sersic(flux=amp * _flux_per_amp(r_sersic, n), r_eff=r_sersic * _half_light(n) / jnp.sqrt(q), n=n)


def sersic_to_lenstronomy(light: Sersic, q: jax.Array | float) -> dict[str, jax.Array | float]:
    """The keywords amp, R_sersic, n_sersic of our profile on a frame of axis ratio q; see `sersic_from_lenstronomy`."""
    r_sersic = light.r_eff * jnp.sqrt(q) / _half_light(light.n)
    return {"amp": light.flux / _flux_per_amp(r_sersic, light.n), "R_sersic": r_sersic, "n_sersic": light.n}


def _lenstronomy_b(n: jax.Array | float) -> jax.Array | float:
    return 1.9992 * n - 0.3271


def _half_light(n: jax.Array | float) -> jax.Array | float:
    """The radius of half the light over R_sersic."""
    return (sersic_b(n) / _lenstronomy_b(n)) ** n


def _flux_per_amp(r_sersic: jax.Array | float, n: jax.Array | float) -> jax.Array:
    k = _lenstronomy_b(n)
    return 2.0 * jnp.pi * n * jnp.square(r_sersic) * jnp.exp(k - 2.0 * n * jnp.log(k) + gammaln(2.0 * n))
