"""From medians and intervals of fits to values with errors, the prior of each fit divided out."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.io.sample.columns import HIGH, LOW, NARROWED, PER_KPC, PER_R_EFF, PRIOR
from jaxmetal.population import Measured

TOLD = 1.05
"""How many times narrower than its prior a posterior must be to say anything once the prior is divided out."""

LOPSIDED = 1.5
"""Longer over shorter side of an interval from which a Gaussian describes it poorly."""

Columns = dict[str, np.ndarray]


def measured(table: Columns, of: str, findings: list[Finding]) -> tuple[Measured, np.ndarray]:
    """The quantity as values with errors, and which galaxies say something of it."""
    middle, half = table[of], half_width(table, of)
    parameter, kept = of.removesuffix(PER_KPC).removesuffix(PER_R_EFF), np.ones(len(middle), bool)
    text = f"Medians of {of}, with half the distance from the 16 to the 84 % quantile as a Gaussian error"
    bars = "median and 68 % interval"
    sides = np.stack([table[of + HIGH] - middle, middle - table[of + LOW]])
    lopsided = int(np.sum(sides.max(axis=0) > LOPSIDED * sides.min(axis=0)))
    if parameter + NARROWED in table and parameter + PRIOR in table:
        narrowed = np.nan_to_num(table[parameter + NARROWED], nan=np.inf)  # NaN: of a prior without a width
        kept = narrowed >= TOLD
        prior = table[parameter + PRIOR] * half / half_width(table, parameter)
        share = 1.0 - np.where(kept, narrowed, np.inf) ** -2.0
        middle, half = prior + (middle - prior) / share, half / np.sqrt(share)
        bars += ",\neach fit's prior divided out"
        text += f", the prior of each fit divided out as a Gaussian; {np.sum(~kept)} that say nothing then are left out"
    text += ". Posteriors kept by jaxmetal batch --posteriors need no such approximation."
    findings.append(Finding("info", text))
    if lopsided:
        text = f"The two sides of {lopsided} intervals differ by more than a factor {LOPSIDED:g}; store the posteriors."
        findings.append(Finding("warning", text))
    return Measured(values=middle[kept], sigma=half[kept], bars=bars), kept


def half_width(table: Columns, name: str) -> np.ndarray:
    """Half the distance from the 16 to the 84 % quantile of a column's quantity."""
    return 0.5 * (table[name + HIGH] - table[name + LOW])
