"""What ionises the gas: demarcations of the BPT diagrams and their classes as masks.

x is the logarithm of the low-ionisation ratio, y = log10 [OIII]5007/Hb. A curve y = a / (x - x0) + b holds left of its
pole x0 only; right of it everything lies above. NaN in x or y belongs to no class.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError


@dataclasses.dataclass(frozen=True)
class Hyperbola:
    """y = a / (x - x0) + b, left of the pole.

    Attributes:
        a: strength.
        x0: the pole.
        b: the value far to the left.
        source: paper and equation.
    """

    a: float
    x0: float
    b: float
    source: str

    def __call__(self, x: jax.Array) -> jax.Array:
        """The demarcation; -inf at the pole and right of it."""
        x = jnp.asarray(x)
        left = x < self.x0
        return jnp.where(left, self.a / jnp.where(left, x - self.x0, -1.0) + self.b, -jnp.inf)


@dataclasses.dataclass(frozen=True)
class Straight:
    """y = slope x + intercept.

    Attributes:
        slope: dy/dx.
        intercept: y at x = 0.
        source: paper and equation.
    """

    slope: float
    intercept: float
    source: str

    def __call__(self, x: jax.Array) -> jax.Array:
        """The demarcation."""
        return self.slope * jnp.asarray(x) + self.intercept


KEWLEY01_NII = Hyperbola(0.61, 0.47, 1.19, "Kewley et al. 2001, ApJ 556, 121, eq. 5")
KEWLEY01_SII = Hyperbola(0.72, 0.32, 1.30, "Kewley et al. 2001, ApJ 556, 121, eq. 6")
KAUFFMANN03 = Hyperbola(0.61, 0.05, 1.30, "Kauffmann et al. 2003, MNRAS 346, 1055, eq. 1")
KEWLEY06_SII = Straight(1.89, 0.76, "Kewley et al. 2006, MNRAS 372, 961, section 3")
BACKHAUS22 = Hyperbola(0.48 / 1.09, -0.12 / 1.09, 1.30, "Backhaus et al. 2022, ApJ 926, 161")


class NiiClasses(NamedTuple):
    """Masks of the [NII] diagram; each spaxel with both ratios is in exactly one."""

    star_forming: jax.Array
    composite: jax.Array
    agn: jax.Array


class SiiClasses(NamedTuple):
    """Masks of the [SII] diagram; each spaxel with both ratios is in exactly one."""

    star_forming: jax.Array
    seyfert: jax.Array
    liner: jax.Array


class TwoClasses(NamedTuple):
    """Masks of a diagram with one demarcation."""

    star_forming: jax.Array
    agn: jax.Array


def nii_diagram(n2: jax.Array, r3: jax.Array) -> NiiClasses:
    """Classes of Kewley et al. 2006, section 3: star-forming below Kauffmann+03, AGN above Kewley+01.

    Args:
        n2: log10 [NII]6584/Ha, any shape.
        r3: log10 [OIII]5007/Hb, same shape.

    Raises:
        InputError: if the shapes differ.
    """
    n2, r3, known = _both(n2, r3)
    below, under = _below(KAUFFMANN03, n2, r3), _below(KEWLEY01_NII, n2, r3)
    return NiiClasses(below & known, ~below & under & known, ~under & ~below & known)


def sii_diagram(s2: jax.Array, r3: jax.Array) -> SiiClasses:
    """Classes of Kewley et al. 2006, section 3: below Kewley+01, above it Seyferts and LINERs.

    Args:
        s2: log10 [SII]6717,6731/Ha.
        r3: log10 [OIII]5007/Hb, same shape.

    Raises:
        InputError: if the shapes differ.
    """
    s2, r3, known = _both(s2, r3)
    below, low = _below(KEWLEY01_SII, s2, r3), ~(r3 > KEWLEY06_SII(s2))
    return SiiClasses(below & known, ~below & ~low & known, ~below & low & known)


def blended_diagram(s2: jax.Array, r3: jax.Array) -> TwoClasses:
    """Classes at the resolution of grisms, where Ha and [NII] are one line (Backhaus et al. 2022).

    Args:
        s2: log10 [SII]6717,6731/(Ha + [NII]).
        r3: log10 [OIII]5007/Hb, same shape.

    Raises:
        InputError: if the shapes differ.
    """
    s2, r3, known = _both(s2, r3)
    below = _below(BACKHAUS22, s2, r3)
    return TwoClasses(below & known, ~below & known)


def mass_excitation(log_mass: jax.Array, r3: jax.Array, *, shift: float = 0.0) -> NiiClasses:
    """Classes of the mass-excitation diagram (Juneau et al. 2014, ApJ 788, 88, eqs. 1 and 2).

    Both demarcations are 0.375 / (m - 10.5) + 1.14 up to m = 10 (upper) and 9.6 (lower), cubic beyond, with
    m = log_mass - shift. AGN above the upper, star-forming below the lower, composite between.

    Args:
        log_mass: log10 of the stellar mass in solar masses.
        r3: log10 [OIII]5007/Hb, same shape.
        shift: of both demarcations towards higher masses, dex; Coil et al. 2015 (ApJ 801, 35) find one needed at
            redshift 2.3, and it must be stated.

    Raises:
        InputError: if the shapes differ.
    """
    mass, r3, known = _both(log_mass, r3)
    mass = mass - shift
    lower = _mex(mass, 9.6, (352.066, -93.8249, 8.32651, -0.246416))
    upper = _mex(mass, 10.0, (410.24, -109.333, 9.71731, -0.288244))
    agn = r3 > upper
    star_forming = ~agn & (r3 < lower)
    return NiiClasses(star_forming & known, ~agn & ~star_forming & known, agn & known)


def _mex(mass: jax.Array, end: float, cubic: tuple[float, ...]) -> jax.Array:
    beyond = sum(c * mass**power for power, c in enumerate(cubic))
    return jnp.where(mass <= end, 0.375 / (jnp.minimum(mass, end) - 10.5) + 1.14, beyond)


def _below(curve: Callable[[jax.Array], jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    return y < curve(x)


def _both(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.shape != y.shape:
        raise InputError(f"line ratios: expected two arrays of one shape, found {x.shape} and {y.shape}; align them.")
    return x, y, ~(jnp.isnan(x) | jnp.isnan(y))
