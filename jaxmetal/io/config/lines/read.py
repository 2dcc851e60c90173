"""The whole configuration of `jaxmetal lines`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.errors import InputError
from jaxmetal.findings import Finding, worst_first
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.fluxes import Fluxes, of_maps, of_table
from jaxmetal.io.config.lines.likelihood import by_name, likelihood
from jaxmetal.io.config.lines.regions import magnification, masks
from jaxmetal.io.config.lines.units import common, in_cgs, settle
from jaxmetal.io.config.lines.wavelengths import require_line
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.observations import STYLES
from jaxmetal.io.config.read import NOWHERE, cosmology_of, origin_of
from jaxmetal.io.config.table import child, choose, positive, read_toml, require_known, take
from jaxmetal.linemaps.keep import Rule
from jaxmetal.linemaps.luminosity import Luminosity
from jaxmetal.linemaps.measure import light
from jaxmetal.linemaps.spectra import Spectra, blocks
from jaxmetal.lines import RATIOS, feature
from jaxmetal.spaxel import RATES

SECTIONS = (
    "galaxy", "cosmology", "data", "features", "likelihood", "star_formation", "magnification", "selection", "radius",
    "regions", "run",
)  # fmt: skip
COMMON = (
    "bins", "bin_values", "unit", "ignore_unit", "dereddened", "wavelengths", "pixel_scale", "mask", "mask_means",
    "bad_bits", "psf",
)  # fmt: skip
FEATURE = ("flux", *STYLES, "blend", "wavelength")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinesJob:
    """What a configuration describes.

    Attributes:
        name: of the galaxy.
        redshift: None where it is not known.
        spectra: line fluxes, in `unit`.
        unit: of the fluxes, "" where it is not known.
        likelihood: of `jaxmetal.spaxel`.
        masks: region -> True for its spaxels; none in a table alone.
        rule: of a selection, or None.
        luminosity: for star formation, or None without redshift or unit.
        psf: of the maps as the configuration gives it, None where it does not.
        light: index of the feature that shows where the light is.
        cosmology: for distances.
        origin: sky origin: the middle of the maps.
        seed: of the random numbers.
        findings: what is worth knowing about the data, worst first.
        inputs: place in the file -> path of every file that was read.
        configuration: the file as it was read.
    """

    name: str
    redshift: float | None
    spectra: Spectra
    unit: str
    likelihood: Any
    masks: dict[str, np.ndarray]
    rule: Rule | None
    luminosity: Luminosity | None
    psf: Any
    light: int
    cosmology: FLRW
    origin: SkyCoord
    seed: int
    findings: tuple[Finding, ...]
    inputs: dict[str, Path]
    configuration: dict[str, Any]


def read_lines(path: str | Path) -> LinesJob:
    """Reads a configuration and every file it names; paths are relative to it.

    Raises:
        InputError: if anything cannot be used; the sentence says where and what to do.
    """
    path = Path(path)
    table = read_toml(path)
    require_known(table, path.name, SECTIONS)
    galaxy, where = child(table, "galaxy", "", {})
    require_known(galaxy, where, ("name", "z"))
    data, _ = child(table, "data", "", {})
    rows = _features(table)
    context = Context(folder=path.absolute().parent, origin=NOWHERE, cosmology=cosmology_of(table))
    context = dataclasses.replace(context, origin=_origin(rows, data, context))
    read = _fluxes(rows, data, context)
    unit = common(
        take(data, "unit", "data", str, None), read.units, ignore=take(data, "ignore_unit", "data", bool, False)
    )
    spectra, factor, unit = _settled(read.spectra, unit)
    blends = {name: row.get("blend", name) for name, row in rows.items()}
    dereddened = take(data, "dereddened", "data", bool, False)
    made = likelihood(*child(table, "likelihood", "", {}), blends, dereddened=dereddened, factor=factor)
    rule, spectra = _selection(table, spectra, made)
    redshift = positive(galaxy, "z", where, float, None)
    regions = {}
    if read.first is not None and spectra.grid is not None:
        regions = masks(table, spectra.painted(spectra.known) == 1.0, spectra.grid, read.first, context)
    elif "regions" in table:
        raise InputError("regions: expected maps, or a table with a bin map, found a table alone; add data.bins.")
    return LinesJob(
        name=take(galaxy, "name", where, str, path.stem),
        redshift=redshift,
        spectra=spectra,
        unit=unit,
        likelihood=made,
        masks=regions,
        rule=rule,
        luminosity=_luminosity(table, spectra, unit, redshift, read, context),
        psf=_psf(data, spectra, context),
        light=light(spectra),
        cosmology=context.cosmology,
        origin=context.origin,
        seed=_seed(table),
        findings=worst_first(context.findings),
        inputs={"configuration": path, **context.inputs},
        configuration=table,
    )


def _features(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Feature -> its table, of known keys and known lines."""
    given, _ = child(table, "features", "", {})
    if not given:
        raise InputError("features: expected at least one line, found none; add e.g. [features.Hb].")
    rows = {}
    for name in given:
        rows[name], where = child(given, name, "features")
        require_known(rows[name], where, FEATURE)
        if "blend" in rows[name]:
            by_name(rows[name], "blend", where)
        feature(rows[name].get("blend", name))
    return rows


def _fluxes(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> Fluxes:
    """Read, with the wavelengths checked that files and configuration state."""
    if "file" in data and "table" in data:
        raise InputError("data: expected either a file of maps or a table, found both; remove one.")
    require_known(data, "data", (*COMMON, *(("table", "id") if "table" in data else ("file",))))
    read = (of_table if "table" in data else of_maps)(rows, data, context)
    medium = choose(data.get("wavelengths", "vacuum"), "data.wavelengths", ("vacuum", "air"))
    for name, row in rows.items():
        lines, where = tuple(feature(row.get("blend", name))), f"features.{name}"
        if name in read.wavelengths:
            require_line(read.wavelengths[name], "vacuum", lines, f"{where}.flux, its header's RESTWAV")
        if "wavelength" in row:
            require_line(take(row, "wavelength", where, float), medium, lines, f"{where}.wavelength")
    return read


def _origin(rows: dict[str, dict[str, Any]], data: dict[str, Any], context: Context) -> SkyCoord:
    """The middle of the first map; nowhere for a table alone, or a map whose pixel scale is all that is known."""
    if "table" in data:
        given = data.get("bins")
    else:
        given = next(iter(rows.values())).get("flux")
        given = {"file": data["file"], "hdu": given} if "file" in data and isinstance(given, (str, int)) else given
    if given is None:
        return NOWHERE
    return origin_of(dataclasses.replace(context, inputs={}).map(given, "data"), "pixel_scale" in data)


def _settled(spectra: Spectra, unit: str) -> tuple[Spectra, float, str]:
    """Fluxes of spaxels in numbers that can be squared, what they were multiplied by, and their unit."""
    there = np.isfinite(spectra.flux) & np.isfinite(spectra.sigma)
    typical = float(np.median(spectra.sigma[there])) if there.any() else 1.0
    area = None if spectra.grid is None else float(spectra.grid.pixel_area)
    factor, unit = settle(unit, typical, area)
    return dataclasses.replace(spectra, flux=spectra.flux * factor, sigma=spectra.sigma * factor), factor, unit


def _selection(table: dict[str, Any], spectra: Spectra, made: Any) -> tuple[Rule | None, Spectra]:
    """The rule, and the spectra binned as it wants them."""
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


def _luminosity(
    table: dict[str, Any],
    spectra: Spectra,
    unit: str,
    redshift: float | None,
    read: Fluxes,
    context: Context,
) -> Luminosity | None:
    """None, with a reason among the findings, where the redshift or the unit is missing."""
    given, where = child(table, "star_formation", "", {})
    require_known(given, where, ("rate",))
    rate = choose(given.get("rate", "ke12_chabrier"), f"{where}.rate", RATES)
    lens = magnification(table, read.first, context)
    if redshift is None or not unit:
        missing = "galaxy.z" if redshift is None else "data.unit"
        context.findings.append(Finding("info", f"No star formation is derived without {missing}; state it if wanted."))
        return None
    area = None if spectra.grid is None else float(spectra.grid.pixel_area)
    per_arcsec = float(context.cosmology.kpc_proper_per_arcmin(redshift).to_value(units.kpc / units.arcsec))
    return Luminosity(
        flux=in_cgs(unit),
        distance=float(context.cosmology.luminosity_distance(redshift).to_value(units.Mpc)),
        kpc2=None if area is None else area * per_arcsec**2,
        rate=rate,
        magnification=lens,
    )


def _psf(data: dict[str, Any], spectra: Spectra, context: Context) -> Mapping[str, Any] | None:
    """The table of the PSF as it stands, once it has been seen to describe one."""
    if "psf" not in data:
        return None
    if spectra.grid is None:
        raise InputError("data.psf: expected maps, found a table alone; remove it, or add data.bins.")
    pixel = float(np.sqrt(spectra.grid.pixel_area))
    build(data["psf"], "psf", "data.psf", dataclasses.replace(context, pixel_scale=pixel))
    return data["psf"]


def _seed(table: dict[str, Any]) -> int:
    given, where = child(table, "run", "", {})
    require_known(given, where, ("seed",))
    return take(given, "seed", where, int, 0)
