"""Flags of data-quality planes by the names that surveys give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.io.spelling import nearest

MANGA = ("NOCOV", "LOWCOV", "DEADFIBER", "FORESTAR", "NOVALUE", "UNRELIABLE", "MATHERROR", "FITFAILED", "NEARBOUND",
         "NOCORRECTION", "MULTICOMP")  # fmt: skip
"""Bits 0 to 10 of MASK extensions of MaNGA's MAPS (SDSS-IV, MANGA_DAPPIXMASK)."""
JWST = ("DO_NOT_USE", "SATURATED", "JUMP_DET", "DROPOUT", "OUTLIER", "PERSISTENCE", "AD_FLOOR", "CHARGELOSS",
        "UNRELIABLE_ERROR", "NON_SCIENCE", "DEAD", "HOT", "WARM", "LOW_QE", "RC", "TELEGRAPH", "NONLINEAR",
        "BAD_REF_PIXEL", "NO_FLAT_FIELD", "NO_GAIN_VALUE", "NO_LIN_CORR", "NO_SAT_CHECK", "UNRELIABLE_BIAS",
        "UNRELIABLE_DARK", "UNRELIABLE_SLOPE", "UNRELIABLE_FLAT", "OPEN", "ADJ_OPEN", "UNRELIABLE_RESET",
        "MSA_FAILED_OPEN", "OTHER_BAD_PIXEL", "REFERENCE_PIXEL")  # fmt: skip
"""Bits 0 to 31 of DQ extensions of JWST."""
BITS = {name: bit for names in (MANGA, JWST) for bit, name in enumerate(names)} | {"DONOTUSE": 30}
"""Name -> bit; no two surveys share a name."""


def bits_of(given: Any, where: str) -> int:
    """The sum of flags: a number that is one already, or names of `BITS`.

    Args:
        given: a whole number, or a list of names, e.g. ["NOCOV", "DONOTUSE"].
        where: it stands.

    Raises:
        InputError: if it is neither, or a name is not known.
    """
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not isinstance(given, list) or not given or not all(isinstance(name, str) for name in given):
        raise InputError(
            f'{where}: expected the sum of the bad flags, or their names as in ["NOCOV", "DONOTUSE"], found '
            f"{shown(given)}; correct it."
        )
    return _sum(given, where)


def _sum(names: Iterable[str], where: str) -> int:
    total = 0
    for name in names:
        if name not in BITS:
            raise InputError(
                f"{where}: '{name}' is no flag of MaNGA's MAPS or JWST's DQ; did you mean {nearest(name, BITS)[0]}? "
                "Give the sum of the flags of other surveys."
            )
        total |= 1 << BITS[name]
    return total
