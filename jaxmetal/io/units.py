"""Units of FITS headers: how they are spelled, and whether they are those of what a map is taken for."""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

from astropy import units
from astropy.units.function import FunctionUnitBase

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.fits import Map

WRONG = "or state ignore_unit = true where that keyword is wrong"


SPELLED = {
    "ergs": units.erg, "sec": units.s, "Angstroms": units.AA, "angstroms": units.AA, "Ang": units.AA, "ang": units.AA,
    "pixels": units.pix, "spaxel": units.pix, "spaxels": units.pix,
    "ABmag": units.mag, "STmag": units.mag, "Vegamag": units.mag, "VEGAMAG": units.mag, "magnitude": units.mag,
    "magnitudes": units.mag,
}  # fmt: skip
"""How files spell units that astropy does not know by that name."""


@functools.lru_cache(maxsize=256)
def parse_unit(text: str) -> Any:
    """A unit as files spell it; "per pixel" is left out, as images and maps are always that.

    Also one in parentheses to a power, as MUSE has it for variances and astropy does not read it.
    """
    outer = re.fullmatch(r"\((.*)\)(?:\*\*|\^)\(?(-?\d+)\)?", text)
    inner, power = (outer[1], int(outer[2])) if outer else (text, 1)
    with warnings.catch_warnings(), units.set_enabled_aliases(SPELLED):
        # Several slashes, as in erg/s/cm2, are usual and clear.
        warnings.simplefilter("ignore", units.UnitsWarning)
        unit = units.Unit(inner, parse_strict="silent")
    if not isinstance(unit, units.UnitBase) or isinstance(unit, units.UnrecognizedUnit):
        return unit
    pixels = sum(p for base, p in zip(unit.bases, unit.powers, strict=True) if base == units.pix)
    return (unit * units.pix**-pixels if pixels < 0 else unit) ** power


def per_pixel(image: Map, pixel_area: float, where: str) -> tuple[float, tuple[Finding, ...]]:
    """What turns the values of an image into flux per pixel, and what is to be said of it.

    1, but for a surface brightness, per steradian or any other solid angle, the pixel's area in arcsec^2.

    Args:
        image: whose BUNIT is looked at.
        pixel_area: arcsec^2.
        where: the image is, for the sentence.

    Raises:
        InputError: if the unit is logarithmic, or per beam.
    """
    powers = require_flux(image, where)
    if powers.get("rad") != -2:
        return 1.0, ()
    text = (
        f"{where}: {image.path} is a surface brightness (BUNIT '{image.unit}'); data and errors were multiplied by the "
        f"{pixel_area:.4g} arcsec^2 of a pixel, and fluxes are in {image.unit} arcsec2."
    )
    return pixel_area, (Finding("info", text),)


def require_flux(image: Map, where: str) -> dict[str, float]:
    """Refuses an image in magnitudes or per beam; the powers of the units that its unit is made of.

    Raises:
        InputError: if it is one.
    """
    powers = _powers(parse_unit(image.unit))
    if powers.get("dex") or powers.get("beam"):
        raise InputError(
            f"{where}: expected flux per pixel or per solid angle, found BUNIT '{image.unit}' in {image.path}; convert "
            f"it, {WRONG}."
        )
    return powers


def require_unit(read: Map, expected: str, where: str) -> None:
    """Refuses a map whose BUNIT is another than that of the quantity it is taken for.

    Args:
        read: the map.
        expected: unit, "" where any will do.
        where: it is, for the sentence.

    Raises:
        InputError: if both units are known and differ.
    """
    found, wanted = parse_unit(read.unit), parse_unit(expected)
    known = not any(isinstance(unit, units.UnrecognizedUnit) for unit in (found, wanted))
    if known and expected and found not in (units.dimensionless_unscaled, wanted):
        raise InputError(
            f"{where}: expected {expected}, found BUNIT '{read.unit}' in {read.path}; give the map of that quantity or "
            f"another mixing, {WRONG}."
        )


def _powers(unit: Any) -> dict[str, float]:
    """Powers of the irreducible units that a unit is made of; none of one that is not known."""
    if isinstance(unit, units.UnrecognizedUnit):
        return {}
    if isinstance(unit, FunctionUnitBase):
        return {"dex": 1.0}
    made = unit.decompose()
    return {base.to_string(): float(power) for base, power in zip(made.bases, made.powers, strict=True)}
