"""Whether a deflection made from a map of the convergence has the shear that was published beside it."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.findings import Finding, Report
from jaxmetal.lens.derive import distortion
from jaxmetal.lens.tabulated import Tabulated
from jaxmetal.numerics.grid import Grid

CLOSE = 0.05
"""Relative difference of the strengths of both shears, and share of their scatter, below which they are one."""
APART = 0.3
"""That above which the maps are not of one model, or not for one source redshift."""
LEAST = 10
"""Pixels that a comparison needs."""


def check_shear(lens: Tabulated, gamma: np.ndarray, grid: Grid) -> Report:
    """Checks the deflection of a convergence map against a map of the shear's strength, before both are scaled.

    Mass beyond a map of the convergence is missing, and with it the shear that it makes inside: the inner half of the
    pixels, by distance from the middle, is compared. The factor is the median of gamma_lens / gamma, the scatter the
    median of |gamma_lens - gamma| over that of gamma.

    Args:
        lens: as `lens.from_convergence` makes it; its scale is left out.
        gamma: sqrt(gamma1^2 + gamma2^2), shape (ny, nx), for the source of the convergence; NaN where it is not known.
        grid: where its pixels lie.
    """
    x, y = grid.centres()
    published, made = np.asarray(gamma, float), np.asarray(distortion(lens, x, y).gamma) / float(lens.scale)
    known = np.isfinite(published) & np.isfinite(made) & (published > 0)
    if known.sum() >= LEAST:
        away = np.hypot(x - np.mean(x[known]), y - np.mean(y[known]))
        known &= away <= np.median(away[known])
    if known.sum() < LEAST:
        text = f"The shear map has {known.sum()} pixels inside the convergence map; a comparison needs {LEAST}."
        return Report(findings=(Finding("warning", text),), numbers={})
    factor = float(np.median(made[known] / published[known]))
    scatter = float(np.median(np.abs(made - published)[known]) / np.median(published[known]))
    return Report(findings=(_judged(factor, scatter),), numbers={"shear_factor": factor, "shear_scatter": scatter})


def _judged(factor: float, scatter: float) -> Finding:
    measured = f"(median ratio {factor:.3f}, median difference {scatter:.1%} of the shear, in the inner half)"
    if abs(factor - 1) > APART or scatter > APART:
        text = f"The convergence map does not make the shear of the shear map {measured}"
        return Finding("error", f"{text}; check that both are of one model and one source redshift.")
    if abs(factor - 1) > CLOSE or scatter > CLOSE:
        text = f"The convergence map makes nearly the shear of the shear map {measured}"
        return Finding("warning", f"{text}; mass beyond the map is missing: a larger map would tell.")
    return Finding("info", f"The convergence map makes the shear of the shear map {measured}.")
