"""Prior of a random field, sized by what is looked for."""

from __future__ import annotations

import math

import numpyro.distributions as dist

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.field import PERIOD, Field

PER_LENGTH = 6.0
"""Modes along an axis per `extent` over correlation length: the covariance is then right to 0.02 (rms)."""

MOST = 41
"""Modes along an axis at most: 1,681 weights."""


def modes_for(extent: float, shortest: float) -> int:
    """How many modes along each axis a field needs; odd, for waves have a cosine and a sine beside the constant."""
    return 2 * math.ceil(0.5 * (PER_LENGTH * extent / shortest - 1.0)) + 1


def field(
    *, extent: float, lengths: tuple[float, float], scatter: float = 0.1, nu: float = 1.5, modes: int | None = None
) -> Field:
    """A field whose weights, scatter and correlation length are free; add it to a radial profile with `tracer.Sum`.

    The scatter is half-normal with a scale of `scatter`, the length log-normal with 95 % between the two `lengths`.

    Args:
        extent: half the side of the square that holds the data, arcsec on the disc.
        lengths: shortest and longest correlation length, arcsec on the disc.
        scatter: in the property's unit (dex).
        nu: smoothness, see `tracer.Field`.
        modes: along each axis, an odd number; by default six per `extent` / shortest length.

    Raises:
        InputError: if lengths are not ascending or longer than `extent`, or need more than 41 modes.
    """
    shortest, longest = lengths
    if not 0.0 < shortest < longest <= extent:
        raise InputError(
            f"field: expected correlation lengths above 0, ascending and at most the extent {extent:g}, found "
            f"{shortest:g} and {longest:g}; correct them."
        )
    count = modes_for(extent, shortest) if modes is None else modes
    if count > MOST or count < 1 or count % 2 == 0:
        raise InputError(
            f"field: expected an odd number of modes up to {MOST}, found {count}; raise the shortest length, or give "
            f"modes: waves shorter than {2 * PERIOD:g} extent / modes are left out."
        )
    middle, width = 0.5 * math.log(shortest * longest), math.log(longest / shortest) / (2.0 * 1.96)
    return Field(
        weights=dist.Normal().expand([count, count]),
        amplitude=dist.HalfNormal(scatter),
        length=dist.LogNormal(middle, width),
        extent=extent,
        nu=nu,
    )
