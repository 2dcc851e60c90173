"""Star-formation rates from intrinsic Hb, each as its paper has it, with the initial mass function stated."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.lines.names import look_up
from jaxmetal.machine import program
from jaxmetal.numerics.quantities import plain

CM_PER_MPC = 3.0856775814913673e24
FLUX = "erg / (s cm2)"


@dataclasses.dataclass(frozen=True)
class Rate:
    """SFR = factor L(Ha), in solar masses per year for erg/s.

    Attributes:
        factor: solar masses per year per erg/s.
        halpha: L(Ha)/L(Hb) with which Hb is turned into Ha.
        imf: initial mass function.
        source: paper and equation.
    """

    factor: float
    halpha: float
    imf: str
    source: str


K98 = "Kennicutt 1998, ARA&A 36, 189, eq. 2; from Hb by Ha/Hb = 2.86"
LIGHTER = "Madau & Dickinson 2014, ARA&A 52, 415, section 3.1.1"

RATES: Mapping[str, Rate] = {
    "wang17": Rate(4.6e-42, 2.86, "Chabrier 2003", "Wang et al. 2017, ApJ 837, 89, eq. 3"),
    "ke12": Rate(10.0**-41.27, 2.86, "Kroupa (Murphy et al. 2011)", "Kennicutt & Evans 2012, ARA&A 50, 531, Table 1"),
    "ke12_chabrier": Rate(10.0**-41.27 / 1.06, 2.86, "Chabrier 2003", "Kennicutt & Evans 2012, divided by 1.06"),
    "k98": Rate(7.9e-42, 2.86, "Salpeter 1955", K98),
    "k98_chabrier": Rate(0.63 * 7.9e-42, 2.86, "Chabrier 2003", f"{K98}; times 0.63 ({LIGHTER})"),
    "k98_kroupa": Rate(0.67 * 7.9e-42, 2.86, "Kroupa 2001", f"{K98}; times 0.67 ({LIGHTER})"),
}
"""Known calibrations of the star-formation rate."""


def star_formation_rate(hb: Any, distance: Any, *, rate: str = "ke12_chabrier", magnification: Any = 1.0) -> jax.Array:
    """Solar masses per year of what emits an intrinsic Hb flux; divided by the magnification, as every total.

    Args:
        hb: intrinsic Hb, erg/s/cm^2.
        distance: luminosity distance, Mpc.
        rate: a name of `RATES`.
        magnification: of the light, 1 without a lens.

    Raises:
        InputError: naming the nearest known rate, if there is none of that name; or if a quantity is of another
            dimension.
    """
    chosen = look_up("rate", rate, RATES)
    per_flux = chosen.factor * chosen.halpha * 4.0 * math.pi * CM_PER_MPC**2
    flux, far = plain("hb", hb, FLUX), plain("distance", distance, "Mpc")
    return jnp.asarray(flux) * per_flux * far**2 / magnification


def surface_density(hb: Any, distance: Any, kpc2: Any, *, rate: str = "ke12_chabrier") -> jax.Array:
    """Solar masses per year and kpc^2: magnification brightens and stretches alike, and is not divided out.

    Args:
        hb: intrinsic Hb of an area on the sky, erg/s/cm^2.
        distance: luminosity distance, Mpc.
        kpc2: that area at the source's distance, kpc^2, not demagnified.
        rate: a name of `RATES`.
    """
    return star_formation_rate(hb, distance, rate=rate) / plain("kpc2", kpc2, "kpc2")


@program()
def total(draws: Any, magnification: float, sigma: Any, key: jax.Array) -> jax.Array:
    """Draws of a total (a star-formation rate, a mass) divided by an uncertain magnification.

    One error is that of a log-normal magnification. Of two, towards smaller and larger magnification, the 16, 50 and
    84 % quantiles of the magnification are mu - lower, mu and mu + upper: mu exp(s e) with e standard normal, s = ln(1
    + upper / mu) above and -ln(1 - lower / mu) below.

    Args:
        draws: of the total as observed, shape (draws,).
        magnification: its best value, mu.
        sigma: its error, same unit, or (lower, upper), lower < mu; 0 for a known magnification. Those of an ensemble
            are `sourceplane.MagnificationSpread.errors`.
        key: JAX random key.
    """
    width = jnp.asarray(sigma) / magnification
    steps = jax.random.normal(key, jnp.shape(draws))
    if width.ndim:
        width = jnp.where(steps > 0.0, jnp.log1p(width[1]), -jnp.log1p(-width[0]))
    return jnp.asarray(draws) / (magnification * jnp.exp(width * steps))
