"""What the columns of `jaxmetal lines` are, and their units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jaxmetal.fluxmaps import FLAGS
from jaxmetal.spaxel.shared import by_ratio

FLUX = "flux"
"""Stands for the unit of the fluxes."""


class Column(NamedTuple):
    """Unit, as FITS and ECSV write it, and one line on what it is."""

    unit: str
    description: str


def _interval(name: str, unit: str, what: str) -> dict[str, Column]:
    return {
        name: Column(unit, f"{what}, median"),
        f"{name}_low": Column(unit, f"{what}, 16 %"),
        f"{name}_high": Column(unit, f"{what}, 84 %"),
    }


COLUMNS: Mapping[str, Column] = {
    "id": Column("", "bin or row"),
    "region": Column("", "spaxels whose fluxes are summed"),
    "x": Column("", "column of the spaxel, from 0"),
    "y": Column("", "row of the spaxel, from 0"),
    "pixels": Column("", "number of spaxels; of a region, those with every line"),
    **_interval("z", "dex", "12 + log(O/H)"),
    "z_sigma": Column("dex", "half of what lies between 16 and 84 % of 12 + log(O/H)"),
    "z_statistical": Column("dex", "part of z_sigma that is the spectrum's own, at least a tenth of it"),
    "z_shared": Column("dex", "part of z_sigma that all spectra of the galaxy share through the calibrations"),
    "mode": Column("dex", "most probable 12 + log(O/H)"),
    "mode_lower": Column("dex", "mode of the lower branch; none at the turnover itself"),
    "mode_upper": Column("dex", "mode of the upper branch; none at the turnover itself"),
    "p_lower": Column("", "probability of the lower branch"),
    "p_upper": Column("", "probability of the upper branch"),
    **_interval("a_v", "mag", "extinction A(V)"),
    **_interval("hb", FLUX, "intrinsic Hb of a spaxel, of a row, or of a whole region"),
    **_interval("sfr", "solMass / yr", "star-formation rate of all its spaxels, demagnified"),
    **_interval("sfr_density", "solMass / (yr kpc2)", "surface density of star formation, not deprojected"),
    "magnification": Column("", "magnification of its light as a whole, by which the star-formation rate is divided"),
    "information": Column("nat", "information gained on 12 + log(O/H) over the prior"),
    "log_evidence": Column("", "log of the evidence, up to a constant of the likelihood"),
    "outside": Column("", "probability that a calibration is outside its range"),
    "at_edge": Column("", "probability of the outer 2 % of the prior of 12 + log(O/H)"),
    "lines": Column("", "number of lines used"),
    "flags": Column("", "sum of " + ", ".join(f"{flag.bit}: {flag.meaning}" for flag in FLAGS.values())),
}
"""In the order in which they are written."""


def column(name: str) -> Column:
    """What a column is, also of `z_shared_<ratio>`, and of `flux_<feature>` and `sigma_<feature>` of a region."""
    if name in COLUMNS:
        return COLUMNS[name]
    for ratio in by_ratio({name: None}):
        return Column("dex", f"by how much Z moves if the gas departs from the calibration of {ratio} by its scatter")
    kind, feature = name.split("_", 1)
    return Column(FLUX, f"{'sum' if kind == 'flux' else 'error of the sum'} of {feature} over the region, as observed")


def units(names: Iterable[str], flux: str) -> dict[str, str]:
    """Name -> unit, of columns that have one; `flux` is that of the fluxes, "" if unknown."""
    found = {name: flux if column(name).unit == FLUX else column(name).unit for name in names}
    return {name: unit for name, unit in found.items() if unit}


def descriptions(names: Iterable[str]) -> dict[str, str]:
    """Name -> what it is."""
    return {name: column(name).description for name in names}


def in_order(names: Iterable[str]) -> list[str]:
    """The names in the order of `COLUMNS`, others after them."""
    known = list(COLUMNS)
    return sorted(names, key=lambda name: known.index(_before(name)) if _before(name) in COLUMNS else len(known))


def _before(name: str) -> str:
    """The column behind which one stands."""
    return "z_shared" if by_ratio({name: None}) else name
