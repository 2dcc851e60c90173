"""Units of line fluxes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from astropy import units

from jaxmetal.edge.errors import InputError
from jaxmetal.io.units import parse_unit

FLUX, BRIGHTNESS = units.erg / units.s / units.cm**2, units.erg / units.s / units.cm**2 / units.arcsec**2
PLAIN = 1e6
"""Errors within this factor of 1 keep their unit; squares of others could leave the range of single precision."""


def common(stated: str | None, found: Mapping[str, str], *, ignore: bool) -> str:
    """The one unit of all fluxes, "" if nothing says it.

    Args:
        stated: in the configuration.
        found: feature -> unit in its file, "" where there is none.
        ignore: whether what the files say is known to be wrong.

    Raises:
        InputError: if files contradict each other or what is stated, or it is no unit of a line flux.
    """
    said = {} if ignore else {name: text for name, text in found.items() if text}
    if stated is None and not said:
        return ""
    first, reference = ("data.unit", stated) if stated is not None else next(iter(said.items()))
    for name, text in said.items():
        if parse_unit(text) != parse_unit(reference):
            raise InputError(
                f"unit: expected one unit of all fluxes, found '{reference}' for {first} and '{text}' for {name}; "
                "convert one of them, or state data.unit with ignore_unit = true."
            )
    unit = parse_unit(reference)
    if isinstance(unit, units.UnrecognizedUnit) or not any(unit.is_equivalent(kind) for kind in (FLUX, BRIGHTNESS)):
        raise InputError(
            f"unit: expected that of a line flux or its surface brightness, such as '1e-20 erg/(s cm2)', found "
            f"'{reference}' for {first}; integrate over the line, or state data.unit with ignore_unit = true."
        )
    return reference


def settle(unit: str, typical: float, pixel_area: float | None) -> tuple[float, str]:
    """The factor that turns fluxes into those of spaxels, of numbers that can be squared, and their new unit.

    Args:
        unit: of `common`.
        typical: size of an error.
        pixel_area: of a spaxel, arcsec^2; None in a table alone.

    Raises:
        InputError: for a surface brightness without spaxels.
    """
    given: Any = parse_unit(unit)
    factor, made = 1.0, given
    if unit and given.is_equivalent(BRIGHTNESS):
        if pixel_area is None:
            raise InputError(f"unit: expected fluxes in a table without a bin map, found '{unit}'; add data.bins.")
        factor, made = pixel_area, given * units.arcsec**2
    size = 1.0 if 1.0 / PLAIN < typical * factor < PLAIN else 10.0 ** math.floor(math.log10(typical * factor))
    return factor / size, units.Unit(size * made).to_string()


def in_cgs(unit: str) -> float:
    """erg/s/cm^2 of one unit of flux."""
    return float(parse_unit(unit).to(FLUX))
