"""The TOML file of `jaxmetal source`: that of `jaxmetal lines`, with [lens] as for `jaxmetal fit`, and [source]."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import require_within
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines import LinesJob, lines_job
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.redshifts import Redshifts
from jaxmetal.io.config.scene import deflectors
from jaxmetal.io.config.source_mass import magnification_error, mass_options, models, stellar_mass
from jaxmetal.io.config.table import child, choose, described, positive, take
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.io.spelling import require_known
from jaxmetal.lens import Plane
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.prior import sites
from jaxmetal.sourceplane.galaxy import SourceRecipe
from jaxmetal.sourceplane.mass import StellarMass
from jaxmetal.sourceplane.profile import LINES
from jaxmetal.sourceplane.values import HOW

OWN = ("lens", "source")
"""Sections that `jaxmetal lines` does not know."""
KEYS = (
    "pixel", "images", "continuum", "centre", "annuli", "step", "values", "line", "image_annuli", "mass",
    "magnification_error", "models",
)  # fmt: skip
MOST_LABEL = 1000
"""Of an image of the source."""
MOST_STEP = 10.0
"""Widths of the PSF in one annulus, beyond which there is none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SourceJob:
    """What a configuration describes.

    Attributes:
        lines: the fluxes and their likelihood.
        grid: their pixels.
        lens: behind which the galaxy lies; None for none.
        psf: of the maps.
        recipe: how to measure.
        labels: which image of the source each pixel belongs to, 0 for none, shape (ny, nx).
        light: where the galaxy's light is, shape (ny, nx).
        shown: what that is.
        light_unit: of it, "" where it is not known.
        kpc_per_arcsec: proper, at the source.
        mass: stellar mass on the pixels of the lines; None for none.
        magnification_error: relative, towards smaller and larger; None where nothing is stated.
        models: name -> lenses of other models, whose spread is an error of the magnification, too.
        inputs: place in the file -> path of every file that was read.
        findings: what is worth knowing, worst first.
    """

    lines: LinesJob
    grid: Grid
    lens: Lens | None
    psf: Any
    recipe: SourceRecipe
    labels: np.ndarray
    light: np.ndarray
    shown: str
    light_unit: str
    kpc_per_arcsec: float
    mass: StellarMass | None
    magnification_error: tuple[float, float] | None
    models: dict[str, list[Lens]]
    inputs: dict[str, Path]
    findings: tuple[Finding, ...]


def read_source(path: str | Path) -> SourceJob:
    """Reads a configuration and every file it names; paths are relative to it.

    Raises:
        InputError: if anything cannot be used; the sentence says where and what to do.
    """
    return described(path, _job)


def _job(table: dict[str, Any], path: Path) -> SourceJob:
    given, where = child(table, "source", "")
    require_known(given, where, KEYS)
    pixel = positive(given, "pixel", where, float)
    if "magnification" in table:
        raise InputError(
            "magnification: expected the lens alone, which says it here, found a table besides; take it out, and state "
            "its error as source.magnification_error."
        )
    lines = lines_job({key: value for key, value in table.items() if key not in OWN}, path)
    grid = lines.spectra.grid
    if grid is None or lines.first is None:
        raise InputError("data: expected maps, or a table with a bin map, found a table alone; add data.bins.")
    _require_small(pixel, f"{where}.pixel", grid)
    if lines.redshift is None:
        raise InputError("galaxy: the key 'z' is missing; add the redshift of the source, for kpc and the lens.")
    if lines.psf is None:
        raise InputError("data: the key 'psf' is missing; state the point-spread function that is traced back.")
    context = Context(
        folder=path.absolute().parent,
        origin=lines.origin,
        cosmology=lines.cosmology,
        redshifts=Redshifts(galaxy=lines.redshift),
        grid=grid,
        advice="provide it, or correct its path, which is relative to the TOML file",
    )
    labels = _labels(given, where, lines, context)
    light, shown, unit = _light(given, where, lines, context)
    scale = float(kpc_per_arcsec(lines.redshift, lines.cosmology))
    recipe = _recipe(given, where, pixel, scale, context)
    mass = _mass(given, where, lines, context)
    others = models(given, where, context)
    return SourceJob(
        lines=lines,
        grid=grid,
        lens=_lens(table, context),
        psf=build(lines.psf, "psf", "data.psf", context),
        recipe=recipe,
        labels=labels,
        light=light,
        shown=shown,
        light_unit=unit,
        kpc_per_arcsec=scale,
        mass=mass,
        magnification_error=magnification_error(given, where),
        models=others,
        inputs={**lines.inputs, **context.inputs},
        findings=(*lines.findings, *context.findings),
    )


def _require_small(pixel: float, where: str, grid: Grid) -> None:
    """Refuses source pixels that are larger than the image."""
    across = max(grid.shape) * float(np.max(grid.steps))
    if pixel > across:
        raise InputError(
            f"{where}: expected the side of a source pixel, in arcsec, found {pixel:g}, more than the image has across "
            f"({across:.3g}); make it smaller."
        )


def _mass(given: dict[str, Any], where: str, lines: LinesJob, context: Context) -> StellarMass | None:
    if "mass" not in given:
        return None
    table, place = child(given, "mass", where)
    if lines.luminosity is None or lines.luminosity.kpc2 is None or lines.first is None:
        raise InputError(f"{place}: expected a unit of the fluxes, for star formation, found none; state data.unit.")
    return stellar_mass(table, place, lines.first, lines.luminosity.kpc2, context)


def _lens(table: dict[str, Any], context: Context) -> Lens | None:
    parts = {name: one.lens for name, one in deflectors(table, context).items()}
    free = list(sites(parts))
    if free:
        raise InputError(
            f"lens.{free[0]}: expected a number, as nothing is fitted here, found a prior; state the best value."
        )
    require_within(parts, "lens")
    return Plane(parts=parts) if parts else None


def _labels(given: dict[str, Any], where: str, lines: LinesJob, context: Context) -> np.ndarray:
    """Of the images of the source; all pixels are one without a map."""
    shape = tuple(lines.spectra.grid.shape) if lines.spectra.grid is not None else ()
    if "images" not in given or lines.first is None:
        return np.ones(shape, int)
    values = context.beside(lines.first, given["images"], f"{where}.images").values
    known = np.isfinite(values)
    numbers = values[known]
    if (numbers != np.rint(numbers)).any() or not 0 < numbers.max() <= MOST_LABEL:
        raise InputError(
            f"{where}.images: expected whole numbers, 1 and above for the pixels of each image of the source, found "
            f"{numbers.min():g} to {numbers.max():g}; number the images."
        )
    return np.where(known, np.maximum(np.nan_to_num(values), 0), 0).astype(int)


def _light(given: dict[str, Any], where: str, lines: LinesJob, context: Context) -> tuple[np.ndarray, str, str]:
    """The continuum, else Ha or a blend with it, else the line with the most signal."""
    if "continuum" in given and lines.first is not None:
        read = context.beside(lines.first, given["continuum"], f"{where}.continuum")
        return read.values, "continuum", read.unit
    features = lines.spectra.features
    number = next((k for k, name in enumerate(features) if name.startswith(("Ha", "Halpha"))), lines.light)
    return lines.spectra.painted(lines.spectra.flux)[..., number], features[number], lines.unit


def _recipe(given: dict[str, Any], where: str, pixel: float, scale: float, context: Context) -> SourceRecipe:
    chosen: dict[str, Any] = {
        "shape": choose(given.get("annuli", "psf"), f"{where}.annuli", ("psf", "round")),
        "values": choose(given.get("values", "fluxes"), f"{where}.values", HOW),
        "line": choose(given.get("line", "wls"), f"{where}.line", LINES),
        "step": positive(given, "step", where, float, 0.5, MOST_STEP),
    }
    if "centre" in given:
        centre, place = child(given, "centre", where)
        require_known(centre, place, ("x", "y"))
        chosen["centre"] = tuple(take(centre, axis, place, float) for axis in "xy")
    if "image_annuli" in given:
        rings, place = child(given, "image_annuli", where)
        require_known(rings, place, ("frame", "width_kpc", "by"))
        chosen["frame"] = build(rings.get("frame"), "frame", f"{place}.frame", context)
        free = list(sites(chosen["frame"]))
        if free:
            raise InputError(f"{place}.frame.{free[0]}: expected a number, found a prior; state the best value.")
        require_within(chosen["frame"], f"{place}.frame")
        chosen["width"] = positive(rings, "width_kpc", place, float, 1.0) / scale
        chosen["by"] = choose(rings.get("by", "area"), f"{place}.by", ("area", "centre"))
    if "mass" in given:
        chosen |= mass_options(*child(given, "mass", where))
    return SourceRecipe(pixel=pixel, **chosen)
