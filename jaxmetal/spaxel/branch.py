"""Which of two metallicities with equal oxygen ratios is meant."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jaxmetal.lines import Calibration, turnovers

FOLDED = ("R23", "R3", "R3sum", "RS32")
"""Ratios that rise and fall again with metallicity, the one that names the branches first."""


def turnover(calibrations: Iterable[Calibration]) -> np.ndarray:
    """The Z at which the first of these ratios that is used is largest; NaN if none folds in its valid range."""
    by_ratio = {one.ratio.name: one for one in calibrations}
    for name in FOLDED:
        if name in by_ratio:
            found = turnovers(by_ratio[name])
            if found.size:
                return np.array(float(found[-1]))
    return np.array(np.nan)
