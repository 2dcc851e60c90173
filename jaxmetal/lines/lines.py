"""Emission lines and their vacuum wavelengths; blends as weighted sums of lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.names import look_up


@dataclasses.dataclass(frozen=True)
class Line:
    """One line, or a doublet that calibrations know only as a sum.

    Attributes:
        name: as in `LINES`.
        vacuum: rest wavelength in vacuum, Angstrom; the mean of the two for a doublet.
        label: for axes and legends.
    """

    name: str
    vacuum: float
    label: str

    @property
    def air(self) -> float:
        """Rest wavelength in standard air, Angstrom (Morton 2000, ApJS 130, 403, eq. 8)."""
        s2 = (1e4 / self.vacuum) ** 2
        return self.vacuum / (1.0 + 8.34254e-5 + 2.406147e-2 / (130.0 - s2) + 1.5998e-4 / (38.9 - s2))


def _table(*rows: tuple[str, float, str]) -> dict[str, Line]:
    return {name: Line(name, vacuum, label) for name, vacuum, label in rows}


LINES: Mapping[str, Line] = _table(
    ("OII3726", 3727.09, "[O II] 3726"),
    ("OII", 3728.485, "[O II] 3726, 3729"),
    ("OII3729", 3729.88, "[O II] 3729"),
    ("NeIII3869", 3869.86, "[Ne III] 3869"),
    ("H7", 3971.20, "H7"),
    ("Hdelta", 4102.89, "H$\\delta$"),
    ("Hgamma", 4341.68, "H$\\gamma$"),
    ("OIII4363", 4364.44, "[O III] 4363"),
    ("Hbeta", 4862.68, "H$\\beta$"),
    ("OIII4959", 4960.30, "[O III] 4959"),
    ("OIII5007", 5008.24, "[O III] 5007"),
    ("OI6300", 6302.05, "[O I] 6300"),
    ("NII6548", 6549.85, "[N II] 6548"),
    ("Halpha", 6564.61, "H$\\alpha$"),
    ("NII6584", 6585.28, "[N II] 6584"),
    ("SII6717", 6718.29, "[S II] 6717"),
    ("SII", 6725.48, "[S II] 6717, 6731"),
    ("SII6731", 6732.67, "[S II] 6731"),
    ("SIII9069", 9071.10, "[S III] 9069"),
    ("SIII9532", 9533.20, "[S III] 9532"),
    ("PaB", 12821.6, "Pa$\\beta$"),
    ("PaA", 18756.1, "Pa$\\alpha$"),
)
"""Every known line; names carry the air wavelength, as papers do. OII and SII are the sums of their doublets."""

ALIASES: Mapping[str, str] = {
    "Ha": "Halpha",
    "Hb": "Hbeta",
    "Hg": "Hgamma",
    "Hd": "Hdelta",
    "NeIII": "NeIII3869",
    "OII3727": "OII",
    "OIII": "OIII4959+OIII5007",
    "NII": "NII6548+NII6584",
    "Ha+NII": "Halpha+NII6548+NII6584",
    "Hb+OIII": "Hbeta+OIII4959+OIII5007",
}
"""Short names: of lines, and of the blends that instruments of low resolution deliver."""


def line(name: str) -> Line:
    """The line of that name or alias.

    Raises:
        InputError: naming the nearest known name, if there is none.
    """
    known = {**LINES, **{alias: LINES[full] for alias, full in ALIASES.items() if full in LINES}}
    return look_up("line", name, known)


def once(what: str, names: Iterable[str]) -> dict[str, str]:
    """Line -> the name by which it is told.

    Args:
        what: whose names they are, for the sentence.
        names: of lines, or their aliases.

    Raises:
        InputError: if a line is unknown, or told by two of its names.
    """
    found: dict[str, str] = {}
    for name in names:
        other = found.setdefault(line(name).name, name)
        if other != name:
            raise InputError(
                f"{what}: expected every line once, found '{other}' and '{name}', which are the same; leave one out."
            )
    return found


def feature(blend: str | Mapping[str, float]) -> dict[str, float]:
    """What one measured flux contains, as line name -> weight.

    Args:
        blend: a line ("Hb"), a sum ("Hbeta+OIII5007"), an alias of one ("OIII"), or weights of your own, e.g.
            {"Halpha": 1.0, "NII6584": 0.5} where half of a line falls into the window.

    Raises:
        InputError: if a line is unknown or occurs twice, or a weight is not positive.
    """
    if isinstance(blend, str):
        parts = [part.strip() for part in ALIASES.get(blend, blend).split("+")]
        given = [(part, 1.0) for part in parts]
    else:
        given = list(blend.items())
    # A line has several names: "Ha" and "Halpha" are one.
    named = {line(name).name: float(weight) for name, weight in given}
    if len(named) < len(given):
        raise InputError(f"blend: expected every line once, found {blend!r}; give each once, with a weight of its own.")
    if not named or any(not weight > 0.0 for weight in named.values()):
        raise InputError(f"blend: expected lines with positive weights, found {dict(given)}; leave absent lines out.")
    return named
