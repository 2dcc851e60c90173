"""How each line follows from Hb: by a calibrated ratio, case B or a fixed doublet, one step after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import case_b
from jaxmetal.lines.names import look_up
from jaxmetal.lines.strong_lines import Calibration

SUM = "OIIIsum"
"""Both [OIII] lines, of which some calibrations are made."""

STEPS: Mapping[str, tuple[tuple[str, float, str], ...]] = {
    "OIII5007": (("R3", 1.0, "Hbeta"),),
    SUM: (("R3sum", 1.0, "Hbeta"),),
    "OII": (("R2", 1.0, "Hbeta"), ("O32", -1.0, "OIII5007"), ("O32sum", -1.0, SUM)),
    "NeIII3869": (("Ne3O2", 1.0, "OII"),),
    "NII6584": (("N2", 1.0, "Halpha"),),
    "SII": (("S2", 1.0, "Halpha"),),
}
"""Line -> (ratio, power, other line), the preferred step first: line = ratio^power x other line."""


class Monomial(NamedTuple):
    """constant x prod_k R_k^power_k."""

    constant: float
    powers: Mapping[str, float]

    def times(self, ratio: str, power: float) -> Monomial:
        """With one more factor R^power."""
        return Monomial(self.constant, {**self.powers, ratio: self.powers.get(ratio, 0.0) + power})


def over_hbeta(name: str, known: Mapping[str, Calibration], fixed: Mapping[str, tuple[float, str]]) -> Monomial:
    """A line over Hb in terms of the calibrated ratios.

    Args:
        name: the line.
        known: ratio -> its calibration.
        fixed: line -> (constant, other line).

    Raises:
        InputError: if no step leads to the line.
    """
    if name == "Hbeta":
        return Monomial(1.0, {})
    if name in fixed:
        constant, other = fixed[name]
        rest = over_hbeta(other, known, fixed)
        return Monomial(constant * rest.constant, rest.powers)
    steps = STEPS.get(name) or _of_other_ratios(name, known)
    for ratio, power, other in steps:
        if ratio in known:
            return over_hbeta(other, known, fixed).times(ratio, power)
    wanted = " or ".join(ratio for ratio, _, _ in steps) or "a ratio with this line alone above the bar"
    raise InputError(
        f"line {name}: expected a calibration of {wanted}, found those of {', '.join(known) or 'nothing'}; "
        "add one, or leave the line out (doublets of [O II] and [S II] are predicted as sums, OII and SII)."
    )


def constants(
    known: Mapping[str, Calibration],
    *,
    temperature: float,
    hydrogen: Mapping[str, float],
    oiii_doublet: float,
    nii_doublet: float,
) -> dict[str, tuple[float, str]]:
    """What atomic physics fixes: line -> (constant, other line).

    Raises:
        InputError: if a ratio is not above 0 or of no line of hydrogen, or the temperature is beyond the table.
    """
    ratios = {f"hydrogen of {name}": ratio for name, ratio in hydrogen.items()}
    for what, ratio in {**ratios, "oiii_doublet": oiii_doublet, "nii_doublet": nii_doublet}.items():
        if not 0.0 < ratio < math.inf:
            raise InputError(f"{what}: expected a ratio above 0, found {ratio:g}; correct it.")
    for name in hydrogen:
        look_up("hydrogen", name, case_b.HYDROGEN)
    coldest, *_, hottest = case_b.TEMPERATURES
    if not coldest <= temperature <= hottest:
        raise InputError(
            f"temperature: expected {coldest:g} to {hottest:g} K, found {temperature:g}; correct it, or give ratios of "
            "your own as hydrogen."
        )
    balmer = {name: float(case_b.over_hbeta(name, temperature)) for name in case_b.HYDROGEN if name != "Hbeta"}
    share = oiii_doublet / (1.0 + oiii_doublet)
    total = (SUM, (1.0 / share, "OIII5007")) if "R3" in known else ("OIII5007", (share, SUM))
    return {
        **{name: (ratio, "Hbeta") for name, ratio in {**balmer, **hydrogen}.items()},
        "OIII4959": (1.0 / oiii_doublet, "OIII5007"),
        "NII6548": (1.0 / nii_doublet, "NII6584"),
        total[0]: total[1],
    }


def _of_other_ratios(name: str, known: Mapping[str, Calibration]) -> tuple[tuple[str, float, str], ...]:
    """Ratios of this line to another single one."""
    steps = []
    for ratio, one in known.items():
        if len(one.ratio.products) == 1 and len(one.ratio.products[0]) == 2:
            (above, up), (below, down) = one.ratio.products[0]
            if above == (name,) and len(below) == 1 and (up, down) == (1.0, -1.0):
                steps.append((ratio, 1.0, below[0]))
    return tuple(steps)
