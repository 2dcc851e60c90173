"""[OIII] 5007 and what lies under 4959, in a dispersed stripe where the doublet overlaps itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import OIII_DOUBLET


class Deblended(NamedTuple):
    """`oiii5007` where 5007 falls; `rest`: the stripe without the doublet, i.e. Hb where Hb falls."""

    oiii5007: np.ndarray
    rest: np.ndarray


def deblend(stripe: np.ndarray, *, spacing: int, first: int, ratio: float = OIII_DOUBLET) -> Deblended:
    """Takes the [OIII] doublet out of a stripe whose last axis is dispersed, wavelength increasing.

    A galaxy appears in 5007 and, `spacing` columns bluewards, 1 / ratio as bright in 4959. From the red end,
    F(c) = S(c) - F(c + spacing) / ratio for c >= first, exactly; rest(c) = S(c) - F(c) - F(c + spacing) / ratio.
    5007 must not reach below column `first` and Hb not above it; 4959 may overlap both.

    Args:
        stripe: continuum-free flux, shape (..., columns).
        spacing: from 4959 to 5007 in whole columns, e.g. 47.94 (1 + z) Angstrom over the dispersion.
        first: the bluest column that holds 5007.
        ratio: 5007/4959.

    Raises:
        InputError: if a number is not finite, or spacing, first or ratio makes no sense for the stripe.
    """
    stripe = np.asarray(stripe, float)
    columns = stripe.shape[-1] if stripe.ndim else 0
    if not np.isfinite(stripe).all():
        raise InputError("stripe: expected finite fluxes, found NaN or infinity; a bad column spreads: mend it first.")
    if not (0 < spacing == int(spacing) and 0 <= first < columns and ratio > 0):
        raise InputError(
            f"deblend: expected whole spacing > 0, first column in 0 to {columns - 1} and ratio > 0, found "
            f"{spacing}, {first} and {ratio}; give these."
        )
    line, ghost = np.zeros_like(stripe), np.zeros_like(stripe)
    for column in reversed(range(columns)):
        if column + spacing < columns:
            ghost[..., column] = line[..., column + spacing] / ratio
        if column >= first:
            line[..., column] = stripe[..., column] - ghost[..., column]
    return Deblended(line, stripe - line - ghost)
