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
    "magnitudes": units.mag, "counts": units.ct, "electrons": units.electron, "nanomaggies": units.Unit("nanomaggy"),
    "cps": units.ct / units.s,
}  # fmt: skip
"""How files spell units that astropy does not know by that name."""


_SQUARED = r"(?:arcsec(?:ond)?s?|arcmin(?:ute)?s?|deg(?:ree)?s?)"
SAID = {
    "dex": r"(?<![a-z])(?:(?:ab|st|vega)?mags?|magnitudes?|log(?:10)?|ln|dex|db)(?![a-z])",
    "beam": r"(?<![a-z])beams?(?![a-z])",
    "rad": (
        rf"(?:/|\bper\b).*(?<![a-z])(?:(?:sr|steradians?)(?![a-z])|{_SQUARED}[\s^*()]*2)"
        rf"|(?<![a-z])(?:sr[\s^*(]*-\s*1|{_SQUARED}[\s^*()]*-\s*2)"
    ),
}
"""What the rest of a unit that astropy does not read is beside -> how it is spelled, in lower case: a logarithm, per
beam, or per solid angle."""
ANY = "flux"
"""In a unit that says no more than what is measured, as those of simulated images."""
POWERS = {"dex": 1.0, "beam": -1.0, "rad": -2.0}


@functools.lru_cache(maxsize=256)
def parse_unit(text: str) -> Any:
    """A unit as files spell it; "per pixel" is left out, as images and maps are always that.

    Also in capitals where one unit alone can be meant ("JY", not "MJY"), with "e-" for electrons, and one in
    parentheses to a power, as MUSE has it for variances and astropy does not read it.
    """
    outer = re.fullmatch(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)(?:\*\*|\^)\(?(-?\d+)\)?", text)
    inner, power = (outer[1], int(outer[2])) if outer else (text, 1)
    with warnings.catch_warnings(), units.set_enabled_aliases(SPELLED):
        # Several slashes, as in erg/s/cm2, are usual and clear.
        warnings.simplefilter("ignore", units.UnitsWarning)
        unit = units.Unit(inner, parse_strict="silent")
        if isinstance(unit, units.UnrecognizedUnit):
            known = units.Unit(_in_case(inner), parse_strict="silent")
            unit = unit if isinstance(known, units.UnrecognizedUnit) else known
    if not isinstance(unit, units.UnitBase) or isinstance(unit, units.UnrecognizedUnit):
        return unit
    pixels = sum(p for base, p in zip(unit.bases, unit.powers, strict=True) if base == units.pix)
    return (unit * units.pix**-pixels if pixels < 0 else unit) ** power


def _in_case(text: str) -> str:
    """A unit with the words that differ from one known unit in their case alone as that is written."""

    def settled(word: re.Match[str]) -> str:
        meant = _names().get(word[0].lower(), {})
        return "s" if word[0] == "S" else next(iter(meant.values())) if len(meant) == 1 else word[0]

    return re.sub(r"[A-Za-z]+", settled, re.sub(r"\be-(?![\w.])", "electron", text))


@functools.cache
def _names() -> dict[str, dict[Any, str]]:
    """Name in lower case -> the units that it may mean, and how each is written; within the aliases of `SPELLED`."""
    registry = units.get_current_unit_registry()
    names: dict[str, dict[Any, str]] = {}
    for name, unit in (*registry.registry.items(), *registry.aliases.items()):
        names.setdefault(name.lower(), {}).setdefault(unit, name)
    return names


def per_pixel(image: Map, pixel_area: float, where: str) -> tuple[float, tuple[Finding, ...]]:
    """What turns the values of an image into flux per pixel, and what is to be said of it.

    1, but for a surface brightness, per steradian or any other solid angle, the pixel's area in arcsec^2. What is not
    understood, or per area in the galaxy (which would need its distance), is taken as flux per pixel, with a warning.

    Args:
        image: whose BUNIT is looked at.
        pixel_area: arcsec^2.
        where: the image is, for the sentence.

    Raises:
        InputError: if the unit is logarithmic, or per beam.
    """
    powers = require_flux(image, where)
    if powers.get("rad") != -2:
        unit = parse_unit(image.unit)
        unknown = isinstance(unit, units.UnrecognizedUnit) and ANY not in image.unit.lower()
        if not unknown and not _per_area(unit):
            return 1.0, ()
        why = "is not understood" if unknown else "is per area in the galaxy"
        text = (
            f"{where}: BUNIT '{image.unit}' of {image.path} {why}; its values are taken as flux per pixel. Convert it, "
            "or state ignore_unit = true where that is right."
        )
        return 1.0, (Finding("warning", text),)
    text = (
        f"{where}: {image.path} is a surface brightness (BUNIT '{image.unit}'); data and errors, also those of noise "
        f"in files, were multiplied by the {pixel_area:.4g} arcsec^2 of a pixel. Fluxes, and numbers and priors of "
        f"noise (jitter) and sky, are in {image.unit} arcsec2."
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
    """Powers of the irreducible units that a unit is made of; of one that is not known those that its text says."""
    if isinstance(unit, units.UnrecognizedUnit):
        return {name: POWERS[name] for name, spelled in SAID.items() if re.search(spelled, unit.to_string().lower())}
    if isinstance(unit, FunctionUnitBase):
        return {"dex": 1.0}
    made = unit.decompose()
    return {base.to_string(): float(power) for base, power in zip(made.bases, made.powers, strict=True)}


def _per_area(unit: Any) -> bool:
    """Whether it is per pc^2, kpc^2, ..., as no light that reaches an observer is."""
    if not isinstance(unit, units.UnitBase):
        return False
    return any(
        power == -2 and base.is_equivalent(units.m) and base.to_string().endswith("pc")
        for base, power in zip(unit.bases, unit.powers, strict=True)
    )
