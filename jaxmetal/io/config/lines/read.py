"""The whole configuration of `jaxmetal lines`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.edge.names import require_name
from jaxmetal.edge.ranges import require_within
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fluxmaps.galaxy import light
from jaxmetal.fluxmaps.keep import Rule
from jaxmetal.fluxmaps.luminosity import Luminosity
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.instrument.psf import fwhm
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.features import features, fluxes, in_one_unit, origin, unused
from jaxmetal.io.config.lines.likelihood import likelihood
from jaxmetal.io.config.lines.regions import masks, radius
from jaxmetal.io.config.lines.selection import selection
from jaxmetal.io.config.lines.star_formation import luminosity
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.read import cosmology_of
from jaxmetal.io.config.redshifts import FARTHEST
from jaxmetal.io.config.suspicious import require_narrow
from jaxmetal.io.config.table import child, described, naming, positive, take
from jaxmetal.io.fits import Map
from jaxmetal.io.spelling import require_known
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.prior import typical
from jaxmetal.spaxel.contract import Likelihood

SECTIONS = (
    "galaxy", "cosmology", "data", "features", "likelihood", "star_formation", "magnification", "selection", "radius",
    "regions", "run", "compare", "sky", "fit", "sources", "recipe", "lens",
)  # fmt: skip
"""`compare` is of --compare-calibrations alone, what follows it of --fit."""
MISSING = "provide it, or correct its path, which is relative to the TOML file (`jaxmetal example lines` prints one)"
"""What to do about a file that does not exist."""


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
        radius: of the spaxels in the source, arcsec, shape (ny, nx); None if unknown.
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
        first: the map whose pixels the fluxes have; None for a table alone.
    """

    name: str
    redshift: float | None
    spectra: Spectra
    unit: str
    likelihood: Likelihood
    masks: dict[str, np.ndarray]
    radius: np.ndarray | None
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
    first: Map | None = None


def read_lines(path: str | Path) -> LinesJob:
    """Reads a configuration and every file it names; paths are relative to it.

    Raises:
        InputError: if anything cannot be used; the sentence says where and what to do.
    """
    return described(path, lines_job)


def lines_job(table: dict[str, Any], path: Path) -> LinesJob:
    """What a configuration describes, whose file is `path`.

    Raises:
        InputError: as `read_lines`.
    """
    require_known(table, "configuration", SECTIONS)
    galaxy, where = child(table, "galaxy", "", {})
    require_known(galaxy, where, ("name", "z"))
    data, _ = child(table, "data", "", {})
    rows = features(table)
    context = Context(folder=path.absolute().parent, origin=NOWHERE, cosmology=cosmology_of(table), advice=MISSING)
    context = dataclasses.replace(context, origin=origin(rows, data, context))
    context.findings.extend(unused(rows))
    read = fluxes(rows, data, context)
    spectra, factor, unit = in_one_unit(read, data)
    made = _likelihood(table, rows, spectra.features, factor)
    rule, spectra = selection(table, spectra, made)
    redshift = positive(galaxy, "z", where, float, None, FARTHEST)
    name = take(galaxy, "name", where, str, path.stem)
    require_name(name, f"{where}.name")
    regions, radii = {}, radius(table, read.first, context)
    if spectra.grid is not None and read.first is not None:
        regions = masks(table, spectra.painted(spectra.known) == 1.0, spectra.grid, radii, read.first, context)
    elif "regions" in table:
        raise InputError("regions: expected maps, or a table with a bin map, found a table alone; add data.bins.")
    return LinesJob(
        name=name,
        redshift=redshift,
        spectra=spectra,
        unit=unit,
        likelihood=made,
        masks=regions,
        radius=radii,
        rule=rule,
        luminosity=luminosity(table, spectra, unit, redshift, read.first, context),
        psf=_psf(data, spectra, context),
        light=light(spectra),
        cosmology=context.cosmology,
        origin=context.origin,
        seed=_seed(table),
        findings=worst_first(context.findings),
        inputs={"configuration": path, **context.inputs},
        configuration=table,
        first=read.first,
    )


def _likelihood(
    table: dict[str, Any], rows: dict[str, dict[str, Any]], features: tuple[str, ...], factor: float
) -> Any:
    """That of the features that were measured; a refusal says which were not."""
    blends = {name: rows[name].get("blend", name) for name in features}
    dereddened = take(child(table, "data", "", {})[0], "dereddened", "data", bool, False)
    try:
        return likelihood(*child(table, "likelihood", "", {}), blends, dereddened=dereddened, factor=factor)
    except InputError as error:
        blank = [name for name in rows if name not in features]
        if not blank:
            raise
        raise InputError(f"Without {', '.join(blank)}, whose fluxes are all NaN: {error}") from None


def _psf(data: dict[str, Any], spectra: Spectra, context: Context) -> Mapping[str, Any] | None:
    """The table of the PSF as it stands, once it has been seen to describe one."""
    if "psf" not in data:
        return None
    if spectra.grid is None:
        raise InputError("data.psf: expected maps, found a table alone; remove it, or add data.bins.")
    psf = build(data["psf"], "psf", "data.psf", dataclasses.replace(context, grid=spectra.grid))
    require_within(psf, "data.psf")
    across = max(spectra.grid.shape) * float(np.sqrt(spectra.grid.pixel_area))
    require_narrow("data.psf", fwhm(typical(psf)), across)
    return data["psf"]


def _seed(table: dict[str, Any]) -> int:
    given, where = child(table, "run", "", {})
    require_known(given, where, ("seed",))
    seed = take(given, "seed", where, int, 0)
    with naming(where):
        seed_of(seed)
    return seed
