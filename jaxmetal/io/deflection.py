"""Deflection maps from FITS files.

Two maps, the deflection along x and along y, come as two files or as two extensions of one. They are read in Lenstool's
frame: each component points along the map's own pixel axes, so that in a north-up map with East to the left +x is West
and +y is North. Components of a rotated or flipped map are turned to the sky's axes. Published maps (those of the
Frontier Fields, say) are also in pixels, or in other frames: `unit` and `axes`.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW, FlatLambdaCDM

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Report
from jaxmetal.io.fits import Hdu, Map, read_map
from jaxmetal.io.pixels import APART, distance
from jaxmetal.lens.check import check_amplification, check_map, in_found_axes
from jaxmetal.lens.maps import from_convergence, from_potential
from jaxmetal.lens.shear_map import check_shear
from jaxmetal.lens.tabulated import Tabulated
from jaxmetal.numerics.grid import Grid

UNITS = {"arcsec": units.arcsec, "pixel": units.pixel}
"""What deflections may be measured in."""
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
"""The cosmology where none is given: that of most published lens models."""


class DeflectionMap(NamedTuple):
    """A deflection map and where it comes from.

    Attributes:
        lens: scaled to the source's redshift, components along the sky's axes.
        record: files, redshifts, scale and cosmology, for the provenance of a result.
    """

    lens: Tabulated
    record: dict[str, Any]


def read_deflection(
    x_file: str | Path,
    y_file: str | Path,
    *,
    origin: SkyCoord,
    z_lens: float,
    z_source: float,
    z_map: float | Literal["inf", "source"],
    cosmology: FLRW | None = None,
    interpolation: Literal["bilinear", "cubic"] = "cubic",
    x_hdu: Hdu = None,
    y_hdu: Hdu = None,
    ignore_unit: bool = False,
    unit: Literal["arcsec", "pixel"] = "arcsec",
    axes: Literal["pixels", "found"] = "pixels",
) -> DeflectionMap:
    """Reads the reduced deflection of a source at `z_source`.

    Args:
        x_file: FITS file with the deflection along x.
        y_file: FITS file with the deflection along y; may be the same file with another extension.
        origin: sky origin of the fit, as `wcs_to_grid` takes it.
        z_lens: redshift of the lens.
        z_source: redshift of the source.
        z_map: the source redshift for which the maps were computed; "inf" for maps normalised to D_LS/D_S = 1, "source"
            for maps that are already at z_source. Maps at another redshift are multiplied by D_LS/D_S at z_source over
            D_LS/D_S at z_map.
        cosmology: for D_LS/D_S; default flat with H0 = 70 km/s/Mpc, Omega_m = 0.3.
        interpolation: "cubic" or "bilinear".
        x_hdu: name or number of the extension; default the only one with a 2-D image.
        y_hdu: likewise.
        ignore_unit: accept a BUNIT that contradicts `unit`, where it is known to be wrong.
        unit: "arcsec", or "pixel" for maps in pixels of their own.
        axes: "pixels" for components along the map's columns and rows; "found" for those swapped or reversed as makes
            them curl-free with positive convergence (`lens.check.READINGS`), which the record then names.

    Raises:
        InputError: for files, shapes, world coordinates, units or redshifts that cannot be used.
    """
    cosmology = COSMOLOGY if cosmology is None else cosmology
    scale = deflection_scale(cosmology, z_lens, z_source, z_map)
    x, y = (read_map(file, hdu, what="deflection map") for file, hdu in ((x_file, x_hdu), (y_file, y_hdu)))
    grid = common_grid([x, y], origin, ignore_unit, UNITS[unit])
    steps = np.asarray(grid.steps, float) if unit == "pixel" else np.ones(2)
    alpha = to_sky(steps[0] * x.values, steps[1] * y.values, grid)
    read = "as they are"
    if axes == "found":
        read, alpha = in_found_axes(alpha, grid)
    lens = Tabulated(alpha_x=alpha[0], alpha_y=alpha[1], grid=grid, scale=scale, interpolation=interpolation)
    redshifts = {"z_lens": z_lens, "z_source": z_source, "z_map": z_map, "scale": scale}
    files = {"x_file": str(x_file), "y_file": str(y_file), "unit": unit, "axes": read}
    return DeflectionMap(lens=lens, record={**files, **redshifts, "cosmology": repr(cosmology)})


SCALARS: dict[str, tuple[Callable[..., Tabulated], Any]] = {
    "potential": (from_potential, units.arcsec**2),
    "convergence": (from_convergence, units.dimensionless_unscaled),
}
"""What one map may hold from which a deflection follows, and its unit."""


def read_scalar(
    file: str | Path,
    holds: Literal["potential", "convergence"],
    *,
    origin: SkyCoord,
    z_lens: float,
    z_source: float,
    z_map: float | Literal["inf", "source"],
    cosmology: FLRW | None = None,
    interpolation: Literal["bilinear", "cubic"] = "cubic",
    hdu: Hdu = None,
    ignore_unit: bool = False,
) -> DeflectionMap:
    """The reduced deflection of a source at `z_source` from a map of the potential (arcsec^2) or of the convergence.

    See `lens.from_potential` and `lens.from_convergence`; other arguments are those of `read_deflection`.

    Raises:
        InputError: for a file, world coordinates, a unit or redshifts that cannot be used.
    """
    cosmology = COSMOLOGY if cosmology is None else cosmology
    scale = deflection_scale(cosmology, z_lens, z_source, z_map)
    read = read_map(file, hdu, what=f"{holds} map")
    make, unit = SCALARS[holds]
    if not ignore_unit:
        _require_unit(read, unit, holds)
    lens = make(read.values, read.grid(origin), scale=scale, interpolation=interpolation)
    redshifts = {"z_lens": z_lens, "z_source": z_source, "z_map": z_map, "scale": scale}
    return DeflectionMap(lens=lens, record={f"{holds}_file": str(file), **redshifts, "cosmology": repr(cosmology)})


def check_deflection(
    lens: Tabulated,
    amplification: tuple[np.ndarray, Grid] | None = None,
    shear: tuple[np.ndarray, Grid] | None = None,
) -> Report:
    """All checks of a deflection map: axes, signs, units; its scale and shear where maps of them are given."""
    report = check_map(lens)
    if amplification is not None:
        report += check_amplification(lens, *amplification)
    return report if shear is None else report + check_shear(lens, *shear)


def distance_ratio(cosmology: FLRW, z_lens: float, z_source: float) -> float:
    """D_LS / D_S from transverse comoving distances, in units of the Hubble distance (Hogg 1999, eq. 19)."""
    lens, source = (
        float(cosmology.comoving_transverse_distance(z) / cosmology.hubble_distance) for z in (z_lens, z_source)
    )
    curvature = float(cosmology.Ok0)
    return math.sqrt(1 + curvature * lens**2) - lens / source * math.sqrt(1 + curvature * source**2)


def deflection_scale(cosmology: FLRW, z_lens: float, z_source: float, z_map: float | str | None) -> float:
    """D_LS/D_S at `z_source` over that at `z_map`; see `read_deflection`.

    Raises:
        InputError: if they are no redshifts behind a lens.
    """
    if not z_lens > 0:
        raise InputError(f"z_lens must be a redshift above 0, but is {z_lens!r}; give the redshift of the lens.")
    if not (z_source > z_lens and math.isfinite(z_source)):
        raise InputError(f"z_source must lie behind z_lens = {z_lens}, but is {z_source!r}; check both redshifts.")
    if z_map == "source":
        return 1.0
    ratio = distance_ratio(cosmology, z_lens, z_source)
    if z_map == "inf" or z_map == math.inf:
        return ratio
    if not isinstance(z_map, numbers.Real) or isinstance(z_map, bool) or not z_map > z_lens:
        expected = f'a redshift behind z_lens = {z_lens}, "inf" (normalised to D_LS/D_S = 1) or "source"'
        raise InputError(f"z_map must be {expected}, but is {z_map!r}; look up how the deflection maps were made.")
    return ratio / distance_ratio(cosmology, z_lens, float(z_map))


def _require_unit(component: Map, expected: units.UnitBase, what: str) -> None:
    unit = units.Unit(component.unit, parse_strict="silent")
    if component.unit and unit != expected:
        wanted = "in " + str(expected) if str(expected) else "without a unit"
        as_pixels = 'read it with unit = "pixel"' if unit == units.pixel else "convert the map"
        advice = f"{as_pixels}, or state ignore_unit = true if the keyword is wrong"
        raise InputError(
            f"The {what} map {component.path} must be {wanted}, but its BUNIT is '{component.unit}'; {advice}."
        )


def common_grid(maps: Sequence[Map], origin: SkyCoord, ignore_unit: bool, unit: units.UnitBase = units.arcsec) -> Grid:
    """The pixels that deflection maps share.

    Raises:
        InputError: if they do not, or a map says that it is in another unit.
    """
    for one in () if ignore_unit else maps:
        _require_unit(one, unit, "deflection")
    first, *others = maps
    grid = first.grid(origin)
    for other in others:
        found = other.grid(origin)
        if found.shape != grid.shape:
            differ = f"have shapes {grid.shape} and {found.shape}"
        elif distance(grid, found) > APART:
            differ = "have different world coordinates"
        else:
            continue
        raise InputError(
            f"The deflection maps {first.path} and {other.path} must share their pixels, but {differ}; use maps of "
            "one model."
        )
    return grid


def to_sky(along_columns: np.ndarray, along_rows: np.ndarray, grid: Grid) -> np.ndarray:
    """Turns components along the pixel axes into components along the sky's x and y, shape (2, ny, nx)."""
    axes = np.asarray(grid.matrix, float) / np.asarray(grid.steps, float)
    return np.einsum("ik,kyx->iyx", axes, np.stack([along_columns, along_rows]))
