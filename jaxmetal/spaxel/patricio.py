"""The likelihood of Patricio et al. 2019, MNRAS 489, 224, eq. 1."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from jaxmetal.lines import RATIOS, Calibration, calibration, line
from jaxmetal.lines.case_b import HYDROGEN, TEMPERATURES
from jaxmetal.spaxel.ratio_likelihood import PERCENT, LogRatios, log_ratios

BALMER = ("HbHg", "HbHd", "HbH7", "HgHd", "HgH7", "HdH7", "HaHb", "HaHg", "HaHd", "HaH7")
"""Ratios of hydrogen lines that tell the extinction; their case-B values, below, to the digits of the paper."""


def patricio19(
    features: Sequence[str] = ("OII", "Hgamma", "Hbeta", "OIII4959", "OIII5007"),
    ratios: Sequence[str] = ("R2", "R3", "O32", "R23", "OIII_doublet", "HbHg"),
    *,
    law: str = "Calzetti00",
    sigma_cal: float = 0.1,
    z_range: tuple[float, float] = (7.0, 9.2),
    a_v_range: tuple[float, float] = (0.0, 4.05),
) -> LogRatios:
    """Patricio et al. 2019, MNRAS 489, 224, eq. 1, with sigma^2 where it prints (sigma^2)^2.

    Ratios of Maiolino et al. 2008 with `sigma_cal` each; [OIII] 5007/4959 = 2.98 and ratios of hydrogen lines of case B
    (Hb/Hg = 2.135) to 1 %; flat 12 + log(O/H), and flat E(B-V) from 0 to 1 (A_V = 4.05 E(B-V)). The published maps need
    sigma_cal=0.06 and z_range=(8.4, 9.5).

    The spectra of whole galaxies (Table B1) are fitted with more ratios, Ne3O2, HbHd and HgHd, or N2 and those of Ha,
    and also with Charlot & Fall 2000: law="CF00_birth", a_v_range=(0, 2.17), which is tau_V from 0 to 2. Without Hb the
    ratios to it are taken to Hg, times 2.135. The value printed for Hg/H7, 6.288, is that of Hb/H7.

    Args:
        features: lines in the order of the fluxes.
        ratios: of the set "M08", "OIII_doublet" and those of `BALMER`.
        law: dust law.
        sigma_cal: scatter of the calibrations, dex.
        z_range: limits of the flat prior of 12 + log(O/H).
        a_v_range: limits of that of A(V), mag.

    Raises:
        InputError: if a ratio is unknown or needs a line that is not given.
    """
    known = {"OIII_doublet": 2.98, **{name: balmer(name) for name in BALMER}}
    chosen = [calibration("M08", name) for name in ratios if name not in known]
    if "Hbeta" not in {line(name).name for name in features}:
        chosen = [by_hgamma(one) for one in chosen]
    return log_ratios(
        features,
        chosen,
        scatter=[sigma_cal] * len(chosen),
        fixed={name: (known[name], PERCENT) for name in ratios if name in known},
        law=law,
        z_range=z_range,
        a_v_range=a_v_range,
    )


def balmer(name: str) -> float:
    """Intrinsic value of a ratio of two hydrogen lines at 10^4 K, rounded as the paper's are."""
    above, below = RATIOS[name].lines
    warm = TEMPERATURES.index(1e4)
    return round(HYDROGEN[above][warm] / HYDROGEN[below][warm], 3)


def by_hgamma(one: Calibration) -> Calibration:
    """The calibration of a ratio to Hb for the ratio to Hg, larger by Hb/Hg; others as they are."""
    if "Hbeta" not in one.ratio.lines:
        return one
    products = tuple(
        tuple((tuple("Hgamma" if name == "Hbeta" else name for name in lines), power) for lines, power in product)
        for product in one.ratio.products
    )
    coefficients = one.curve.coefficients.copy()
    coefficients[0] += math.log10(balmer("HbHg"))
    return dataclasses.replace(
        one,
        ratio=dataclasses.replace(one.ratio, products=products, label=one.ratio.label.replace("beta", "gamma")),
        curve=dataclasses.replace(one.curve, coefficients=coefficients),
    )
