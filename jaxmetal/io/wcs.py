"""Pixel grids from world coordinates and back.

The sky plane is the tangent plane at the sky origin: gnomonic offsets in arcsec, x to the West and y to the North of
the origin's coordinate frame. A FITS header is only ever read through astropy's WCS, so CD and PC matrices, rotations,
flips, SIP and cos(dec) are its business; what is left is one affine map per image, and a polynomial where that would
move a pixel.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy.coordinates import FK5, SkyCoord
from astropy.io import fits
from astropy.io.fits.verify import VerifyError, VerifyWarning
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import celestial_frame_to_wcs

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.distorted import all_over, departure, distorted, uneven
from jaxmetal.io.sip import sip
from jaxmetal.numerics.grid import Grid

NOWHERE = SkyCoord(0.0, 0.0, unit="deg")
"""The sky origin of data without world coordinates."""
ARCSEC_PER_RADIAN = 180 * 3600 / np.pi
DISTORTED = 0.05
"""Departure of an image from an affine map, pixels, from which its distortion is followed."""
SKEW = 0.01
"""Cosine of the angle between columns and rows up to which the shape of the PSF is right to half a percent."""
SKEWED = 0.04
"""The same from which that needs a look."""
PARALLEL = 0.5
"""The same from which a header is broken."""
PLACING = re.compile(r"(CRPIX|CRVAL|CDELT|CROTA)\d|(CD|PC)\d_\d")
"""Cards that place pixels."""
CELESTIAL = ("RA--", "DEC-", "GLON", "GLAT", "ELON", "ELAT")
"""How CTYPE begins of axes on the sky."""
COARSEST = 600.0
"""Pixels of this many arcsec or more are FITS's default of a degree, not an image of a galaxy."""


def wcs_to_grid(header: fits.Header | WCS, origin: SkyCoord, shape: tuple[int, int] | None = None) -> Grid:
    """The pixels of an image on the tangent plane at `origin`.

    Args:
        header: FITS header, or astropy WCS.
        origin: sky origin; in whatever frame, whose North is then +y.
        shape: (ny, nx); default the header's.

    Raises:
        InputError: without celestial world coordinates or shape, or if no smooth map describes the image (columns along
            rows, a distortion that folds, an origin on another part of the sky).
    """
    wcs, (ny, nx) = celestial_wcs(header), _shape(header, shape)
    column, row = indices = all_over((ny, nx))
    x, y = tangent_offsets(_to_world(wcs, column, row), origin)
    if not np.isfinite(x + y).all():
        raise InputError("The image does not lie within 90 degrees of the sky origin; give an origin near the galaxy.")
    places = np.stack([x, y], axis=1)
    design = np.stack([np.ones_like(column), column, row], axis=1)
    solution = np.linalg.lstsq(design, places)[0]
    grid = Grid(shape=(ny, nx), origin=solution[0], matrix=solution[1:].T)
    _require_pixels(grid)
    if departure(grid, indices, places).max() <= DISTORTED:
        return grid
    return distorted(grid, indices, places)


def means_the_sky(header: fits.Header) -> bool:
    """Whether any axis of a header is named as one on the sky."""
    return any(str(header.get(f"CTYPE{axis}", "")).upper().startswith(CELESTIAL) for axis in (1, 2))


def judge_pixels(grid: Grid, where: str) -> tuple[Finding, ...]:
    """What the pixels of data cost, where their sides are not perpendicular or not alike over the image.

    A PSF is applied along columns and rows as if these were perpendicular: that of columns and rows with cosine c has
    variances (1 +- c) sigma^2 on the sky. Fluxes are those of the mean pixel.

    Args:
        grid: the pixels.
        where: they are, for the sentence.
    """
    cosine, findings = abs(_cosine(grid)), []
    if cosine > SKEW:
        text = (
            f"{where}: columns and rows meet at {np.rad2deg(np.arccos(cosine)):.2f} degrees, and the PSF is applied as "
            f"if at 90: its FWHM is off by up to {np.sqrt(1.0 + cosine) - 1.0:.1%}; resample the map if that matters."
        )
        findings.append(Finding("warning" if cosine > SKEWED else "info", text))
    if grid.distortion is not None:
        text = (
            f"{where}: the distortion of its world coordinates is followed; pixels are taken to have one area, from "
            f"which theirs differ by up to {uneven(grid):.1%}."
        )
        findings.append(Finding("info", text))
    return tuple(findings)


def sky_origin(header: fits.Header | WCS, shape: tuple[int, int] | None = None) -> SkyCoord:
    """The sky position of the middle of an image, the default origin of a fit, in right ascension and declination.

    Whatever the frame of the header: angles are East of the same North in every map.

    Args:
        header: FITS header, or astropy WCS.
        shape: (ny, nx); default the header's.

    Raises:
        InputError: without celestial world coordinates or shape.
    """
    wcs, (ny, nx) = celestial_wcs(header), _shape(header, shape)
    position = _to_world(wcs, 0.5 * (nx - 1), 0.5 * (ny - 1))
    # FK5 of J2000 has the axes of ICRS to 0.02 arcsec.
    return position if position.is_equivalent_frame(FK5()) else position.icrs


def grid_to_wcs(grid: Grid, origin: SkyCoord) -> WCS:
    """The world coordinates of a grid: a gnomonic projection about `origin`.

    CDELT is the size of a pixel, and PC turns it, so that those who read CDELT alone find the size.
    """
    wcs = celestial_frame_to_wcs(origin.frame, projection="TAN")
    matrix = np.asarray(grid.matrix, float)
    wcs.wcs.crval = [origin.spherical.lon.deg, origin.spherical.lat.deg]
    wcs.wcs.crpix = 1 - np.linalg.solve(matrix, np.asarray(grid.origin, float))
    steps = np.array([-1.0, 1.0]) * np.asarray(grid.steps, float)
    wcs.wcs.cdelt = steps / 3600
    wcs.wcs.pc = np.diag([-1.0, 1.0]) @ matrix / steps[:, None]
    if grid.distortion is not None:
        wcs.wcs.crpix, turned, wcs.sip = sip(grid)
        wcs.wcs.pc = np.diag([-1.0, 1.0]) @ turned / steps[:, None]
    wcs.array_shape = grid.shape
    wcs.wcs.set()
    return wcs


def position_angle_of_y(grid: Grid) -> float:
    """The direction of increasing rows, degrees East of North, in (-180, 180]."""
    x, y = np.asarray(grid.matrix, float)[:, 1]
    return float(np.rad2deg(np.arctan2(-x, y)))


def tangent_offsets(position: SkyCoord, origin: SkyCoord) -> tuple[np.ndarray, np.ndarray]:
    """Gnomonic offsets (x to the West, y to the North) of sky positions from `origin`, arcsec.

    In the frame whose equator and meridian cross at the origin: x = -tan(lon), y = tan(lat) / cos(lon)
    (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3). NaN beyond 90 degrees.
    """
    offsets = position.transform_to(origin.skyoffset_frame())
    lon, lat = offsets.lon.rad, offsets.lat.rad
    near = np.where(np.cos(lon) * np.cos(lat) > 0, ARCSEC_PER_RADIAN, np.nan)
    return -near * np.tan(lon), near * np.tan(lat) / np.cos(lon)


def celestial_wcs(header: fits.Header | WCS) -> WCS:
    """The celestial part of a header's world coordinates."""
    if isinstance(header, fits.Header):
        _require_numbers(header)
    try:
        with _quiet():
            wcs = (header if isinstance(header, WCS) else WCS(header)).celestial
    except Exception as error:  # wcslib has an exception for every way in which a header can be broken
        reason = " ".join(str(error).split())
        raise InputError(f"The world coordinates cannot be read ({reason}); correct the FITS header.") from None
    if not wcs.has_celestial:
        raise InputError(
            "The header has no celestial world coordinates (CTYPE, CRVAL, CRPIX and a CD or PC matrix); add them, or "
            "give a pixel scale in arcsec instead."
        )
    return wcs


def _require_numbers(header: fits.Header) -> None:
    """Refuses cards without a number (CD1_1 = NaN is none to FITS), for which a default would be taken silently."""
    for card in filter(PLACING.fullmatch, header):
        try:
            with _quiet():
                float(header[card])
        except (ValueError, TypeError, VerifyError):
            raise InputError(
                f"The world coordinates cannot be read ({card} is no number); correct the FITS header."
            ) from None


def _shape(header: fits.Header | WCS, shape: tuple[int, int] | None) -> tuple[int, int]:
    if shape is None and isinstance(header, WCS):
        shape = header.celestial.array_shape
    elif shape is None and "NAXIS1" in header and "NAXIS2" in header:
        shape = header["NAXIS2"], header["NAXIS1"]
    if shape is None or len(shape) != 2 or min(shape) < 1:
        raise InputError(f"The shape of an image with world coordinates must be (ny, nx), but is {shape}; state it.")
    return int(shape[0]), int(shape[1])


def _to_world(wcs: WCS, column: Any, row: Any) -> SkyCoord:
    try:
        with _quiet():
            found = wcs.pixel_to_world(column, row)
    except Exception as error:  # as for reading: distortions that do not converge, singular matrices, ...
        reason = " ".join(str(error).split())
        raise InputError(f"The world coordinates cannot be evaluated ({reason}); correct the FITS header.") from None
    if not isinstance(found, SkyCoord):
        raise InputError(
            "The world coordinates are in no frame that is known (RADESYS, EQUINOX, CTYPE); correct the FITS header."
        )
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without astropy's remarks on cards it repairs (RADECSYS, DATE-OBS, CDELT1 = NaN) and on CDELT next to CD."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        warnings.simplefilter("ignore", VerifyWarning)
        warnings.filterwarnings("ignore", "cdelt will be ignored", RuntimeWarning)
        yield


def _require_pixels(grid: Grid) -> None:
    steps = np.asarray(grid.steps)
    if max(steps) >= COARSEST or min(steps) == 0:
        raise InputError(
            f"Pixels must be far smaller than {COARSEST:g} arcsec, but the header makes them {steps[0]:g} by "
            f"{steps[1]:g} arcsec; its CD or PC matrix or CDELT is missing or wrong."
        )
    cosine = _cosine(grid)
    if abs(cosine) > PARALLEL:
        raise InputError(
            f"Columns and rows of an image must not run along each other, but meet at "
            f"{np.rad2deg(np.arccos(min(1.0, abs(cosine)))):.2f} degrees; correct its CD or PC matrix."
        )


def _cosine(grid: Grid) -> float:
    """Of the angle between columns and rows on the sky."""
    matrix, steps = np.asarray(grid.matrix), np.asarray(grid.steps)
    return float(matrix[:, 0] @ matrix[:, 1] / (steps[0] * steps[1]))
