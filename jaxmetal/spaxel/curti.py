"""The likelihood of KLEVER, Curti et al. 2020, MNRAS 492, 821, eq. 1."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp

from jaxmetal.lines import calibration
from jaxmetal.spaxel.ratio_likelihood import LogRatios, log_ratios

STANDS_IN = ("S2", "N2")
"""The first is used in place of the second."""


def curti20(
    features: Sequence[str] = ("OII", "Hbeta", "OIII5007", "Halpha", "NII6584", "SII"),
    ratios: Sequence[str] = ("R3", "N2", "S2", "O32"),
    *,
    a_v: float = 0.0,
    law: str = "CCM89",
    z_range: tuple[float, float] = (7.6, 8.9),
) -> LogRatios:
    """Curti et al. 2020, MNRAS 492, 821, eq. 1, with the calibrations and scatter of MNRAS 491, 944, Table 2.

    The ratios are those of section 3.4 and Table 4, where O32 is called O3O2. One combination of them serves a whole
    galaxy, with S2 in place of N2 for all its spaxels: name the galaxy's own, give no [NII] where S2 is to stand in, or
    let `fluxmaps.klever` choose; where both could be formed only N2 counts. Fluxes are dereddened beforehand, for the
    sake of O32, or by the one `a_v` given here.

    Args:
        features: lines in the order of the fluxes.
        ratios: of the set "C20".
        a_v: A(V) of the fluxes, mag.
        law: dust law.
        z_range: limits of the flat prior of 12 + log(O/H).

    Raises:
        InputError: if a ratio is unknown or needs a line that is not given.
    """
    chosen = [calibration("C20", name) for name in ratios]
    return log_ratios(
        features,
        chosen,
        scatter=[float(one.sigma(jnp.asarray(8.3))) for one in chosen],
        fixed={},
        law=law,
        z_range=z_range,
        a_v_range=(a_v, a_v),
        instead=[STANDS_IN] if set(STANDS_IN) <= {one.ratio.name for one in chosen} else [],
    )
