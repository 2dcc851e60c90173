"""The selection rule of a configuration."""

from __future__ import annotations

from typing import Any

from jaxmetal.fluxmaps.keep import Rule
from jaxmetal.fluxmaps.spectra import Spectra, blocks
from jaxmetal.io.config.table import child, choose, positive, take
from jaxmetal.io.spelling import require_known
from jaxmetal.lines import RATIOS


def selection(table: dict[str, Any], spectra: Spectra, made: Any) -> tuple[Rule | None, Spectra]:
    """The rule of the table [selection], None without one, and the spectra binned as it wants them.

    Args:
        table: the configuration.
        spectra: as they were read.
        made: the likelihood, whose ratios KLEVER's rule looks at unless others are named.

    Raises:
        InputError: if rule or ratio is unknown, or bins are to be binned.
    """
    given, where = child(table, "selection", "", {})
    if not given:
        return None, spectra
    rule: Any = choose(given.get("rule"), f"{where}.rule", ("klever", "wang"))
    require_known(given, where, ("rule", "ratios") if rule == "klever" else ("rule", "binning"))
    if rule == "wang":
        factor = positive(given, "binning", where, int, 1)
        return Rule("wang"), spectra if factor == 1 else blocks(spectra, factor)
    used = getattr(made, "emission", made).calibrations
    ratios = take(given, "ratios", where, list, [one.ratio.name for one in used])
    for name in ratios:
        choose(name, f"{where}.ratios", RATIOS)
    return Rule("klever", tuple(ratios)), spectra
