"""The light-weighted fit of the two real arcs in numpy, scipy and astropy alone: nothing of jaxmetal is used here.

    Z_bin = log10( sum_bin K * (L 10^Z) / sum_bin K * L ),   Z = central + slope R(theta - alpha(theta))

with L the HST picture in the image plane, K the seeing with the picture's own blur taken out, R the deprojected radius.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares
from scipy.signal import fftconvolve
from scipy.special import gamma, kv

CELLS = 4
"""Cells per data pixel and axis."""
SAMPLES = 2
"""Samples of the picture per cell and axis."""
MARGIN = 15
"""Pixels around the map; the deflection maps end 3 arcsec from the data."""
REACH = 6.0
"""Half-width of the kernel, arcsec."""
NAMES = ("x0", "y0", "q", "pa", "central", "slope")


def read(path: Path) -> tuple[np.ndarray, WCS]:
    """Values and WCS of a map."""
    with fits.open(path) as hdus:
        header = hdus[0].header
        if "RADECSYS" in header:  # the old spelling makes astropy warn
            header.rename_keyword("RADECSYS", "RADESYS")
        return hdus[0].data.astype(float), WCS(header)


def moffat_transfer(frequency: np.ndarray, fwhm: float, beta: float) -> np.ndarray:
    """Fourier transform of a Moffat of unit flux: 2 z^(beta-1) K_(beta-1)(2 z) / Gamma(beta-1), z = pi alpha f."""
    alpha = 0.5 * fwhm / np.sqrt(2 ** (1 / beta) - 1)
    z = np.pi * alpha * np.where(frequency > 0, frequency, 1.0)
    return np.where(frequency > 0, 2 * z ** (beta - 1) * kv(beta - 1, 2 * z) / gamma(beta - 1), 1.0)


def difference_kernel(fwhm: float, beta: float, own_fwhm: float, step: float) -> np.ndarray:
    """A Moffat deconvolved by a narrow Gaussian, in cells of `step` arcsec.

    The division is harmless: the Moffat's transfer falls as exp(-2 pi alpha f), the Gaussian's is still 0.06 at the
    cells' Nyquist frequency.
    """
    half = round(REACH / step)
    one = np.fft.fftfreq(2 * half + 1, step)
    frequency = np.hypot(one[:, None], one[None, :])
    sigma = own_fwhm / np.sqrt(8 * np.log(2))
    gaussian = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    return np.fft.fftshift(np.fft.ifft2(moffat_transfer(frequency, fwhm, beta) / gaussian).real)


@dataclass(frozen=True)
class LightWeighted:
    """One arc: its `folder` and its seeing (Moffat, arcsec)."""

    folder: Path
    fwhm: float
    beta: float
    light_fwhm: float
    pixel: float = 0.2

    @cached_property
    def labels(self) -> np.ndarray:
        """Bin of every pixel, counted from 0 without gaps; -1 outside."""
        bins = read(self.folder / "bins.fits")[0]
        return np.where(bins >= 0, np.searchsorted(np.unique(bins[bins >= 0]), bins), -1).astype(int)

    @cached_property
    def measured(self) -> list[np.ndarray]:
        """Metallicity and its 1-sigma by bin, dex."""
        inside = self.labels >= 0
        maps = (read(self.folder / f"{file}.fits")[0] for file in ("metallicity", "metallicity_sigma"))
        return [np.bincount(self.labels[inside], m[inside]) / np.bincount(self.labels[inside]) for m in maps]

    @cached_property
    def _wcs(self) -> WCS:
        return read(self.folder / "metallicity.fits")[1]

    def _sky(self, density: int) -> Any:
        """Sky coordinates of `density` x `density` points in every pixel of the widened map."""
        first = 0.5 / density - 0.5 - MARGIN
        rows, columns = (first + np.arange((n + 2 * MARGIN) * density) / density for n in self.labels.shape)
        return self._wcs.pixel_to_world(*np.meshgrid(columns, rows))

    def trace(self, sky: Any) -> tuple[np.ndarray, np.ndarray]:
        """Source-plane positions, arcsec West and North of the deflection map's tangent point; NaN beyond the map."""
        dplx, wcs = read(self.folder / "dplx.fits")
        dply, _ = read(self.folder / "dply.fits")
        scale = wcs.proj_plane_pixel_scales()[1].to_value("arcsec")
        column, row = (np.asarray(p) for p in wcs.world_to_pixel(sky))
        at = np.stack([np.atleast_1d(row), np.atleast_1d(column)])
        dx, dy = (map_coordinates(d, at, order=3, cval=np.nan).reshape(column.shape) for d in (dplx, dply))
        return scale * (column - (wcs.wcs.crpix[0] - 1)) - dx, scale * (row - (wcs.wcs.crpix[1] - 1)) - dy

    @cached_property
    def source(self) -> tuple[np.ndarray, np.ndarray]:
        """Source-plane position of every cell, arcsec."""
        return self.trace(self._sky(CELLS))

    @cached_property
    def light(self) -> np.ndarray:
        """Mean brightness of every cell; dark where no ray is traced."""
        values, wcs = read(self.folder / "light_f606w.fits")
        column, row = wcs.world_to_pixel(self._sky(CELLS * SAMPLES))
        seen = map_coordinates(np.maximum(np.nan_to_num(values), 0.0), [row, column], order=1, cval=0.0)
        ny, nx = self.source[0].shape
        return np.where(np.isfinite(self.source[0]), seen.reshape(ny, SAMPLES, nx, SAMPLES).mean((1, 3)), 0.0)

    def observe(self, field: np.ndarray) -> np.ndarray:
        """Blur, pixels and bins: sums over the bins."""
        blurred = fftconvolve(field, self._kernel, mode="same")
        ny, nx = (n // CELLS for n in blurred.shape)
        pixels = blurred.reshape(ny, CELLS, nx, CELLS).sum((1, 3))[MARGIN:-MARGIN, MARGIN:-MARGIN]
        inside = self.labels >= 0
        return np.bincount(self.labels[inside], pixels[inside])

    @cached_property
    def _kernel(self) -> np.ndarray:
        return difference_kernel(self.fwhm, self.beta, self.light_fwhm, self.pixel / CELLS)

    @cached_property
    def _denominator(self) -> np.ndarray:
        return self.observe(self.light)

    def model(self, params: np.ndarray) -> np.ndarray:
        """Metallicity by bin, dex; `params` in the order of `NAMES` (arcsec, degrees, dex, dex per arcsec)."""
        x0, y0, q, pa, central, slope = params
        dx, dy, angle = self.source[0] - x0, self.source[1] - y0, np.deg2rad(pa)
        along = np.cos(angle) * dy - np.sin(angle) * dx
        across = -np.cos(angle) * dx - np.sin(angle) * dy
        abundance = np.where(self.light > 0, 10 ** (slope * np.hypot(along, across / q)), 0.0)
        return central + np.log10(self.observe(self.light * abundance) / self._denominator)

    def chi2(self, params: np.ndarray) -> float:
        """Sum of ((data - model) / sigma)^2 over bins."""
        data, sigma = self.measured
        return float(np.sum(((data - self.model(params)) / sigma) ** 2))

    def fit(self, pixel: tuple[float, float], start: dict[str, float]) -> dict[str, Any]:
        """The maximum of the posterior from a centre in data pixels: priors as `arcs.free_disc`.

        Normal(traced centre, 0.3) on x0 and y0, Normal(0, 0.5) on the slope, flat and bounded in the others.
        """
        data, sigma = self.measured
        x0, y0 = (float(p) for p in self.trace(self._wcs.pixel_to_world(*pixel)))
        first = np.array([x0, y0, start["q"], start["pa"], start["central"], start["slope"]])
        inf = np.inf
        bounds = ([-inf, -inf, 0.1, start["pa"] - 90, 8.0, -inf], [inf, inf, 1.0, start["pa"] + 90, 10.0, inf])

        def residuals(p: np.ndarray) -> np.ndarray:
            prior = [(p[0] - x0) / 0.3, (p[1] - y0) / 0.3, p[5] / 0.5]
            return np.concatenate([(data - self.model(p)) / sigma, prior])

        scale = [0.03, 0.03, 0.05, 3.0, 0.01, 0.02]
        found = least_squares(residuals, first, bounds=bounds, x_scale=scale, xtol=1e-10, ftol=1e-10)
        return {
            "best": dict(zip(NAMES, found.x.tolist(), strict=True)),
            "sigma": dict(zip(NAMES, np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac))).tolist(), strict=True)),
            "traced_start": [x0, y0],
            "chi2": self.chi2(found.x),
            "evaluations": int(found.nfev),
            "status": found.message,
        }
