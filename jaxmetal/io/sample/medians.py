"""From medians and intervals of fits to values with errors, the prior of each fit divided out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from jaxmetal.edge.findings import Finding
from jaxmetal.io.sample.columns import HIGH, LOW, NARROWED, PER_KPC, PER_R_EFF, PRIOR
from jaxmetal.population import Measured

TOLD = 1.05
"""How many times narrower than its prior a posterior must be to say anything once the prior is divided out."""

LOPSIDED = 1.5
"""Longer over shorter side of an interval from which no split normal has such quantiles."""

STEEPEST = np.log(30.0)
"""Largest log of the ratio of a split normal's two sides that quantiles are turned into."""

Columns = dict[str, np.ndarray]


class Split(NamedTuple):
    """Split normals: two half Gaussians that meet at the mode.

    Attributes:
        mode: shape (n,).
        sides: their widths below and above it, (2, n).
    """

    mode: np.ndarray
    sides: np.ndarray


def measured(table: Columns, of: str, findings: list[Finding]) -> tuple[Measured, np.ndarray]:
    """The quantity as values with errors of two sides, and which galaxies say something of it.

    Where the table says what the prior was, value and interval are quantiles of a posterior, and the prior is divided
    out; else they are what papers print, value (+upper, -lower).
    """
    parameter = of.removesuffix(PER_KPC).removesuffix(PER_R_EFF)
    if parameter + NARROWED in table and parameter + PRIOR in table:
        return _of_posteriors(table, of, parameter, findings)
    text = f"Values of {of} with the distances to {of}{LOW} and {of}{HIGH} as the two sides of their errors."
    findings.append(Finding("info", text))
    if any(name.endswith((NARROWED, PRIOR)) for name in table):
        text = (
            f"The priors of the fits are still in {of}, if it is of the fits: to divide them out the table needs "
            f"{parameter}{NARROWED} and {parameter}{PRIOR}, which batch writes for free parameters and slopes; take "
            "one of these, or fit anew with jaxmetal batch --posteriors."
        )
        findings.append(Finding("warning", text))
    everyone = np.ones(len(table[of]), bool)
    return Measured(values=table[of], sigma=np.stack(_sides(table, of)), bars="value and interval"), everyone


def _of_posteriors(table: Columns, of: str, parameter: str, findings: list[Finding]) -> tuple[Measured, np.ndarray]:
    lower, upper = _sides(table, of)
    found = of_quantiles(table[of], lower, upper)
    narrowed = np.nan_to_num(table[parameter + NARROWED], nan=np.inf)  # NaN: of a prior without a width
    kept = narrowed >= TOLD
    prior = table[parameter + PRIOR] * half_width(table, of) / half_width(table, parameter)
    share = 1.0 - np.where(kept, narrowed, np.inf) ** -2.0
    values, sigma = prior + (found.mode - prior) / share, found.sides / np.sqrt(share)
    text = (
        f"Medians of {of} and their 16 and 84 % quantiles as split normals, the prior of each fit divided out as a "
        f"Gaussian; {np.sum(~kept)} that say nothing then are left out. Posteriors kept by jaxmetal batch --posteriors "
        "need no such approximation."
    )
    findings.append(Finding("info", text))
    lopsided = int(np.sum(np.maximum(lower, upper) > LOPSIDED * np.minimum(lower, upper)))
    if lopsided:
        text = f"The two sides of {lopsided} intervals differ by more than a factor {LOPSIDED:g}; store the posteriors."
        findings.append(Finding("warning", text))
    bars = "mode and two-sided error,\neach fit's prior divided out"
    return Measured(values=values[kept], sigma=sigma[:, kept], bars=bars), kept


def of_quantiles(median: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> Split:
    """The split normals that have these medians, and 16 and 84 % quantiles at these distances from them.

    Quantiles of a split normal differ less than its sides, by a factor of 1.55 at most; beyond, the width is kept.

    Args:
        median: shape (n,).
        lower: median minus the 16 % quantile, > 0.
        upper: 84 % quantile minus the median, > 0.
    """
    steep = np.linspace(-STEEPEST, STEEPEST, 401)
    low, middle, high = _quantiles(steep)
    chosen = np.interp(np.log(upper / lower), np.log((high - middle) / (middle - low)), steep)
    low, middle, high = _quantiles(chosen)
    scale = (lower + upper) / (high - low)
    return Split(median - scale * middle, scale * np.exp(0.5 * np.stack([-chosen, chosen])))


def _quantiles(steep: np.ndarray) -> np.ndarray:
    """16, 50 and 84 % quantiles of split normals about 0 whose sides are exp(-steep / 2) and exp(steep / 2)."""
    lower, upper = np.exp(-0.5 * steep), np.exp(0.5 * steep)
    p = np.array([0.16, 0.5, 0.84])[:, None]
    below = lower * ndtri(np.minimum(0.5 * p * (lower + upper) / lower, 0.5))
    above = -upper * ndtri(np.minimum(0.5 * (1.0 - p) * (lower + upper) / upper, 0.5))
    return np.asarray(below + above)


def _sides(table: Columns, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances of a quantity from the ends of its interval."""
    return table[name] - table[name + LOW], table[name + HIGH] - table[name]


def half_width(table: Columns, name: str) -> np.ndarray:
    """Half the distance from the 16 to the 84 % quantile of a column's quantity."""
    return 0.5 * (table[name + HIGH] - table[name + LOW])
