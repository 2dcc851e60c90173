"""Tabulated PSF kernels from FITS files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.instrument.finer import CELLS, refined
from jaxmetal.instrument.psf import Kernel, fwhm
from jaxmetal.io.fits import Hdu, read_map

OFF_CENTRE = 0.05
"""Largest distance of a kernel's centroid from its middle, native pixels."""
ROUNDING = 1e-4
"""Departures of the sum from 1 that single precision explains."""
EDGE = 0.01
"""Values on the rim of a kernel, over its peak, from which it looks cut off."""
COARSE = 3.5
"""FWHM in pixels below which a kernel of one cell per pixel does not say enough of what lies between them."""
ROUGH = 0.03
"""What Gaussians may leave of a kernel, over its peak, before that needs a look."""
NEGATIVE = 0.01
"""Weight of a kernel's negative cells, over its sum, that is still noise."""


def read_kernel(
    path: str | Path, *, pixel_scale: float, includes_pixel: bool, oversampling: int = 1, hdu: Hdu = None
) -> tuple[Kernel, tuple[Finding, ...]]:
    """Reads a PSF kernel whose rows and columns run along those of the data.

    Negative cells, the noise in an empirical PSF's wings, are kept: cutting them off would leave the positive half of
    the noise as light that is not there. Where they weigh more than 1 % they are warned of, since a mean with negative
    weights need not lie among what it averages, and is then cut to that range.

    A narrow kernel of one cell per pixel is refined (see `instrument.finer`), and the report says so.

    Args:
        path: FITS file.
        pixel_scale: of the data, arcsec.
        includes_pixel: True for an empirical (effective) PSF, measured on pixels; False for an optical one.
        oversampling: kernel cells per pixel of the data and axis.
        hdu: name or number of the extension.

    Returns:
        The kernel, normalised to sum 1, and what is worth knowing about it.

    Raises:
        InputError: if it cannot be convolved with: even size, NaN, no positive sum, off centre.
    """
    _require_sampling(pixel_scale, oversampling, includes_pixel)
    values = read_map(path, hdu, what="PSF kernel").values
    _require_usable(path, values)
    total = float(values.sum())
    kernel = Kernel(values=values / total, step=pixel_scale / oversampling, includes_pixel=includes_pixel)
    _require_centred(path, kernel.values, oversampling)
    findings = []
    if abs(total - 1) > ROUNDING:
        findings.append(Finding("info", f"The PSF kernel {path} summed to {total:.4g}; it was normalised to 1."))
    findings += _judge(path, kernel, pixel_scale)
    if oversampling == 1 and fwhm(kernel) < COARSE * pixel_scale:
        kernel, left = refined(kernel)
        text = (
            f"The PSF kernel {path} is known once per pixel and was refined to {CELLS} cells, all but {left:.1%} of "
            "its peak by a sum of Gaussians; one of several cells per pixel needs no such guess."
        )
        findings.append(Finding("info" if left < ROUGH else "warning", text))
    return kernel, worst_first(findings)


def _require_sampling(pixel_scale: float, oversampling: int, includes_pixel: bool) -> None:
    if not (np.isfinite(pixel_scale) and pixel_scale > 0):
        raise InputError(
            f"pixel_scale must be the data's pixel in arcsec, above 0, but is {pixel_scale!r}; correct it."
        )
    if oversampling != int(oversampling) or oversampling < 1:
        raise InputError(
            f"oversampling must be a whole number of kernel cells per pixel, but is {oversampling!r}; correct it."
        )
    if includes_pixel and oversampling % 2 == 0:
        raise InputError(
            f"An effective PSF (includes_pixel=True) must have an odd oversampling, but it is {oversampling}, so that "
            "no cell lies on a pixel's centre; resample the kernel."
        )


def _require_usable(path: str | Path, values: np.ndarray) -> None:
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise InputError(f"The PSF kernel {path} must be finite, but {missing} of its cells are not; fill them.")
    if min(np.mod(values.shape, 2)) == 0:
        raise InputError(
            f"The PSF kernel {path} must have odd sides, so that one cell is its centre, but has shape {values.shape}; "
            "resample it (cropping a row moves the centre by half a cell)."
        )
    if not values.sum() > 0:
        total = f"{values.sum():.3g}"
        raise InputError(f"The PSF kernel {path} must have a positive sum, but it is {total}; correct its background.")


def _require_centred(path: str | Path, values: np.ndarray, oversampling: int) -> None:
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in values.shape)
    x, y = float(values.sum(0) @ columns) / oversampling, float(values.sum(1) @ rows) / oversampling
    if np.hypot(x, y) > OFF_CENTRE:
        raise InputError(
            f"The PSF kernel {path} must be centred to {OFF_CENTRE} pixel, but its centroid is off by {x:+z.3f} "
            f"(column) and {y:+z.3f} (row) data pixels; shift it, or subtract its background."
        )


def _judge(path: str | Path, kernel: Kernel, pixel_scale: float) -> list[Finding]:
    findings = []
    width = fwhm(kernel)
    if width < pixel_scale:
        text = f"The PSF kernel {path} is narrower (FWHM {width:.3g} arcsec) than a pixel ({pixel_scale:.3g} arcsec)"
        findings.append(Finding("warning", f"{text}; check pixel_scale and oversampling."))
    values = np.asarray(kernel.values)
    rim = float(np.abs(np.concatenate([values[[0, -1]].ravel(), values[:, [0, -1]].ravel()])).max() / values.max())
    if rim > EDGE:
        text = f"The PSF kernel {path} still has {rim:.1%} of its peak at its rim"
        findings.append(Finding("warning", f"{text}; use a larger one."))
    negative = -float(values.clip(max=0.0).sum())
    if negative > NEGATIVE:
        text = f"The negative cells of the PSF kernel {path} weigh {negative:.1%} of its sum"
        findings.append(Finding("warning", f"{text}; subtract its background, or smooth its wings."))
    return findings
