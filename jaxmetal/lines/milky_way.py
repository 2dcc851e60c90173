"""Dust of the Milky Way in front of a galaxy: extinction at observed wavelengths."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.lines import LINES, feature

RANGE = (0.3, 3.3)
"""Inverse wavelengths, 1/micron, that the formulae here reach: 33,333 to 3,030 Angstrom."""
BREAK = 1.1
"""Where the infrared power law ends."""
A = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
B = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
"""Polynomials in x - 1.82 of the optical range."""


def extinction(wavelength: Any, e_bv: Any, r_v: Any = 3.1) -> jax.Array:
    """A(lambda) = E(B-V) R_V [a(x) + b(x) / R_V] with x = 1/lambda (Cardelli, Clayton & Mathis 1989, ApJ 345, 245).

    A power law in the infrared, polynomials in the optical range.

    Args:
        wavelength: observed, Angstrom, any shape.
        e_bv: colour excess of the Milky Way along the line of sight, mag; maps of Schlegel et al. (1998) are usually
            taken times 0.86 (Schlafly & Finkbeiner 2011, ApJ 737, 103).
        r_v: A(V) / E(B-V).

    Returns:
        Magnitudes, of the shapes together.

    Raises:
        InputError: if a wavelength lies beyond 3,030 to 33,333 Angstrom.
    """
    x = 1e4 / np.asarray(wavelength, float)
    if not np.all((x >= RANGE[0]) & (x <= RANGE[1])):
        raise InputError(
            f"wavelength: expected {1e4 / RANGE[1]:.0f} to {1e4 / RANGE[0]:.0f} Angstrom, found "
            f"{np.min(wavelength):.5g} to {np.max(wavelength):.5g}; give observed wavelengths."
        )
    optical = x >= BREAK
    y, power = np.where(optical, x - 1.82, 0.0), x**1.61
    a = np.where(optical, np.polyval(A[::-1], y), 0.574 * power)
    b = np.where(optical, np.polyval(B[::-1], y), -0.527 * power)
    return jnp.asarray(e_bv, float) * (jnp.asarray(r_v, float) * a + b)


def foreground(name: str, z: float, e_bv: Any, r_v: Any = 3.1) -> jax.Array:
    """Extinction of a line or blend of a galaxy by the Milky Way, mag: its flux times 10^(0.4 A) is free of it.

    Args:
        name: of the line or blend, see `feature`; a blend is taken at the mean wavelength of its lines.
        z: redshift of the galaxy.
        e_bv: see `extinction`.
        r_v: likewise.

    Raises:
        InputError: if the line is unknown, or lies beyond what `extinction` reaches.
    """
    wavelength = float(np.mean([LINES[line].vacuum for line in feature(name)]))
    return extinction(wavelength * (1.0 + z), e_bv, r_v)
