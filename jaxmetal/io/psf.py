"""Tabulated PSF kernels from FITS files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.instrument.finer import CELLS, refined
from jaxmetal.instrument.psf import Kernel, fwhm
from jaxmetal.io.fits import Hdu, Map, read_map
from jaxmetal.numerics.grid import Grid

SCALES = ("PIXELSCL", "PIXSCALE", "PIXSCAL")
"""Keywords for the side of a cell, arcsec, as STPSF (WebbPSF), Tiny Tim and others write them."""
SAME = 0.02
"""Relative difference between two sizes of a cell that is none: nominal pixel scales are rounded."""
ROUNDING = 1e-4
"""Departures of the sum from 1 that single precision explains."""
FLAT = 0.75
"""Height of the rim over that of the peak from which a kernel is no PSF."""
EDGE = 0.01
"""Values on the rim of a kernel, over its peak, from which it looks cut off."""
COARSE = 3.5
"""FWHM in pixels below which a kernel of one cell per pixel does not say enough of what lies between them."""
ROUGH = 0.03
"""What Gaussians may leave of a kernel, over its peak, before that needs a look."""
TURNED = 5.0
"""Degrees between the columns or rows of a kernel and those of the data that still hardly change a blur."""
NEGATIVE = 0.01
"""Weight of a kernel's negative cells, over its sum, that is still noise."""


def read_kernel(
    path: str | Path,
    *,
    pixel_scale: float | tuple[float, float],
    includes_pixel: bool,
    oversampling: int | None = None,
    step: float | None = None,
    hdu: Hdu = None,
    data: Map | None = None,
) -> tuple[Kernel, tuple[Finding, ...]]:
    """Reads a PSF kernel whose rows and columns run along those of the data.

    Negative cells, the noise in an empirical PSF's wings, are kept: cutting them off would leave the positive half of
    the noise as light that is not there. Where they weigh more than 1 % they are warned of, since a mean with negative
    weights need not lie among what it averages, and is then cut to that range.

    A narrow kernel of one cell per pixel is refined (see `instrument.finer`), and the report says so.

    Args:
        path: FITS file.
        pixel_scale: of the data, arcsec; of oblong pixels along x and y.
        includes_pixel: True for an empirical (effective) PSF, measured on pixels; False for an optical one.
        oversampling: kernel cells per pixel of the data and axis, where pixels are square; default what the header says
            of the size of its cells, else 1.
        step: side of a cell, arcsec, instead; needed for oblong pixels where the header does not say it.
        hdu: name or number of the extension.
        data: what it blurs, against whose world coordinates its own must not be turned, where both have them.

    Returns:
        The kernel, normalised to sum 1, and what is worth knowing about it.

    Raises:
        InputError: if what is said of its cells is contradictory, or it cannot be convolved with: cells that are no
            whole part of a pixel, even sides with an odd oversampling, NaN, no positive sum, off centre,
            rows and columns along others than those of the data.
    """
    sides = _sides(pixel_scale)
    pixel = float(np.sqrt(sides.prod()))
    _require_sampling(oversampling, step)
    read = read_map(path, hdu, what="PSF kernel")
    values = read.values
    _require_usable(path, values)
    if data is not None:
        _require_along(read, data)
    total = float(values.sum())
    cell = _cell(read, sides, oversampling, step)
    kernel = Kernel(values=values / total, step=cell, includes_pixel=includes_pixel)
    try:
        cells = kernel.cells_per_pixel(sides)
        kernel.require_centred(cells)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    findings = []
    if abs(total - 1) > ROUNDING:
        findings.append(Finding("info", f"The PSF kernel {path} summed to {total:.4g}; it was normalised to 1."))
    findings += _judge(path, kernel, pixel)
    if min(cells) == 1 and fwhm(kernel) < COARSE * cell:
        kernel, left = refined(kernel)
        text = (
            f"The PSF kernel {path} is known once per pixel and was refined to {CELLS} cells, all but {left:.1%} of "
            "its peak by a sum of Gaussians; one of several cells per pixel needs no such guess."
        )
        findings.append(Finding("info" if left < ROUGH else "warning", text))
    return kernel, worst_first(findings)


def _sides(pixel_scale: float | tuple[float, float]) -> np.ndarray:
    """Of a pixel of the data along x and y, arcsec."""
    sides = np.broadcast_to(np.asarray(pixel_scale, float), 2)
    if not (np.isfinite(sides).all() and (sides > 0.0).all()):
        raise InputError(
            f"pixel_scale must be the data's pixel in arcsec, above 0, but is {pixel_scale!r}; correct it."
        )
    return sides


def _require_sampling(oversampling: int | None, step: float | None) -> None:
    if oversampling is not None and (oversampling != int(oversampling) or oversampling < 1):
        raise InputError(
            f"oversampling must be a whole number of kernel cells per pixel, but is {oversampling!r}; correct it."
        )
    if step is not None and not (np.isfinite(step) and step > 0.0):
        raise InputError(
            f"step must be the side of the kernel's cells in arcsec, above 0, but is {step!r}; correct it."
        )


def _cell(read: Map, sides: np.ndarray, oversampling: int | None, step: float | None) -> float:
    """The side of a kernel's cells, arcsec: as stated, as in the header, or a pixel's.

    Raises:
        InputError: if two of these contradict each other, or pixels are oblong and none says it.
    """
    square, said = bool(np.ptp(sides) <= SAME * sides.max()), {}
    pixel = float(sides[0]) if not square else float(np.sqrt(sides.prod()))
    if oversampling is not None and not square:
        raise InputError(
            f"The PSF kernel {read.path} has square cells, and pixels of {sides[0]:.4g} x {sides[1]:.4g} arcsec hold "
            "not the same number of them along both sides; give their side as step, in arcsec, instead of oversampling."
        )
    if oversampling is not None:
        said[f"oversampling = {oversampling}"] = pixel / oversampling
    if step is not None:
        said[f"step = {step:g}"] = step
    own = _own_cell(read)
    if own is not None:
        said["its header"] = own
    if not said and not square:
        raise InputError(
            f"The PSF kernel {read.path} must say how large its cells are, as pixels are {sides[0]:.4g} x "
            f"{sides[1]:.4g} arcsec, but its header does not; give step, in arcsec."
        )
    (first, cell), *others = said.items() or {"a cell per pixel": pixel}.items()
    for other, found in others:
        if abs(found / cell - 1.0) > SAME:
            raise InputError(
                f"The PSF kernel {read.path} must have cells of one size, but {first} makes them {cell:.4g} arcsec and "
                f"{other} {found:.4g}; correct one of them."
            )
    whole = max(1, round(pixel / cell))
    return pixel / whole if square and abs(whole * cell / pixel - 1.0) <= SAME else cell


def _own_cell(read: Map) -> float | None:
    """The side of a cell that the header of a kernel states, arcsec; None where it states none."""
    for key in SCALES:
        value = read.header.get(key)
        if isinstance(value, (int, float)) and value > 0.0:
            return float(value)
    grid = _own_grid(read)
    if grid is None:
        return None
    steps = np.asarray(grid.steps)
    if np.ptp(steps) > SAME * steps.max():
        raise InputError(
            f"The PSF kernel {read.path} must have square cells, but its header makes them {steps[0]:.4g} x "
            f"{steps[1]:.4g} arcsec; resample it, or give a PSF with a formula."
        )
    return float(np.sqrt(grid.pixel_area))


def _own_grid(read: Map) -> Grid | None:
    """The pixels by the header of a map, about its middle; None where it has none that can be used."""
    if not read.on_sky:
        return None
    try:
        return read.grid(read.origin())
    except InputError:  # a header of nothing but defaults, say
        return None


def _require_along(read: Map, data: Map) -> None:
    """Refuses a kernel whose header says that its columns or rows run in other directions than those of the data."""
    grids = _own_grid(read), _own_grid(data)
    if grids[0] is None or grids[1] is None:
        return
    own, others = (np.asarray(grid.matrix) / np.asarray(grid.steps) for grid in grids if grid is not None)
    turns = np.rad2deg(np.arccos(np.clip(np.sum(own * others, axis=0), -1.0, 1.0)))
    if turns.max() > TURNED:
        raise InputError(
            f"The PSF kernel {read.path}: expected columns and rows along those of {data.path}, but by its header they "
            f"are turned by {turns[0]:.3g} and {turns[1]:.3g} degrees against them; turn it, or remove the world "
            "coordinates from its header where they are not its own."
        )


def _require_usable(path: str | Path, values: np.ndarray) -> None:
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise InputError(f"The PSF kernel {path} must be finite, but {missing} of its cells are not; fill them.")
    if not values.sum() > 0:
        total = f"{values.sum():.3g}"
        raise InputError(f"The PSF kernel {path} must have a positive sum, but it is {total}; correct its background.")


def _judge(path: str | Path, kernel: Kernel, pixel_scale: float) -> list[Finding]:
    findings = []
    width = fwhm(kernel)
    if width < pixel_scale:
        text = f"The PSF kernel {path} is narrower (FWHM {width:.3g} arcsec) than a pixel ({pixel_scale:.3g} arcsec)"
        findings.append(Finding("warning", f"{text}; check pixel_scale and oversampling."))
    values = np.asarray(kernel.values)
    rim = float(np.abs(np.concatenate([values[[0, -1]].ravel(), values[:, [0, -1]].ravel()])).max() / values.max())
    if rim > FLAT:
        raise InputError(
            f"The PSF kernel {path} has {rim:.1%} of its peak at its rim, so that it blurs without end; give one "
            "that falls off, or subtract its background."
        )
    if rim > EDGE:
        text = f"The PSF kernel {path} still has {rim:.1%} of its peak at its rim"
        findings.append(Finding("warning", f"{text}; use a larger one."))
    negative = -float(values.clip(max=0.0).sum())
    if negative > NEGATIVE:
        text = f"The negative cells of the PSF kernel {path} weigh {negative:.1%} of its sum"
        findings.append(Finding("warning", f"{text}; subtract its background, or smooth its wings."))
    return findings
