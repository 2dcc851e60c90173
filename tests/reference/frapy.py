"""FRApy's operator (Patricio et al. 2019, MNRAS 489, 224) on the two real arcs: metallicity blurred without light.

Model of a pixel: Z = z_0 + z_grad r, r = sqrt((q x')^2 + y'^2) in kpc of the source plane, x' along the major axis;
then a point-sampled Gaussian kernel, then the mean over each bin. `z_grad` is per kpc of r, which is q times the
deprojected radius. The centre is a position in data pixels (0-based, continuous), traced to the source plane like
every pixel.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates

PARAMETERS = ("cx", "cy", "q", "pa", "z_grad", "z_0")
FOLDERS = {"AS1063": "as1063", "A370": "a370"}


@dataclass(frozen=True)
class Galaxy:
    """One arc of the bundle at `data`: `name` is "AS1063" or "A370"."""

    name: str
    data: Path

    def _open(self, file):
        with fits.open(self.data / FOLDERS[self.name] / f"{file}.fits") as hdus:
            header = hdus[0].header
            if "RADECSYS" in header:  # the old spelling makes astropy warn
                header.rename_keyword("RADECSYS", "RADESYS")
            return hdus[0].data.astype(float), WCS(header)

    @cached_property
    def expected(self):
        """What `expected.json` holds on this galaxy."""
        return json.loads((self.data / "expected.json").read_text())["galaxies"][self.name]

    @cached_property
    def bins(self):
        """Bin id of every pixel, -1 outside."""
        return self._open("bins")[0].astype(int)

    @cached_property
    def _lens(self):
        """Deflections (x, y) in arcsec, their WCS and their pixel scale in arcsec."""
        (dplx, wcs), (dply, _) = self._open("dplx"), self._open("dply")
        return dplx, dply, wcs, wcs.wcs.cdelt[1] * 3600

    @cached_property
    def _wcs(self):
        return self._open("metallicity")[1]

    def trace(self, column, row):
        """Source-plane position (west, north) in kpc of data pixels; the deflection is interpolated bilinearly."""
        dplx, dply, wcs, scale = self._lens
        x, y = wcs.world_to_pixel(self._wcs.pixel_to_world(column, row))
        deflection = (map_coordinates(d, [np.atleast_1d(y), np.atleast_1d(x)], order=1) for d in (dplx, dply))
        kpc = self.expected["arcsec_per_kpc_WMAP9"]
        return [(p * scale - d.reshape(np.shape(p))) / kpc for p, d in zip((x, y), deflection, strict=True)]

    @cached_property
    def source(self):
        """Source-plane position of every pixel, two arrays (ny, nx) in kpc."""
        return self.trace(*np.indices(self.bins.shape)[::-1])

    @cached_property
    def kernel(self):
        """The blur along one axis: odd size >= 8 sigma, sampled at pixel centres, normalised."""
        sigma = self.expected["psf_fwhm_arcsec"] / 2.355 / self.expected["pixel_arcsec"]
        half = int(np.ceil(8 * sigma)) // 2
        kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
        return kernel / kernel.sum()

    @cached_property
    def blur(self):
        """Matrices (ny, ny) and (nx, nx) of the blur; beyond the map there is nothing, counted as zero."""
        half = len(self.kernel) // 2
        return [sum(np.diag(np.full(n - abs(k), self.kernel[half + k]), k) for k in range(-half, half + 1))
                for n in self.bins.shape]  # fmt: skip

    @cached_property
    def leaving(self):
        """Bins, as a mask over bin ids, with a pixel whose kernel reaches beyond the map."""
        half = len(self.kernel) // 2
        edge = np.ones(self.bins.shape, bool)
        edge[half:-half, half:-half] = False
        return np.isin(np.arange(self.bins.max() + 1), self.bins[edge])

    def mean(self, values):
        """Unweighted mean of a map over the pixels of each bin, in ascending order of bin id."""
        inside = self.bins >= 0
        return np.bincount(self.bins[inside], values[inside]) / np.bincount(self.bins[inside])

    @cached_property
    def measured(self):
        """Metallicity and its 1-sigma per bin."""
        return [self.mean(self._open(file)[0]) for file in ("metallicity", "metallicity_sigma")]


def unblurred(params, galaxy):
    """Metallicity map before the blur; `params` in the order of `PARAMETERS`."""
    cx, cy, q, pa, z_grad, z_0 = params
    angle = np.deg2rad(90 + pa)  # from west towards north
    dx, dy = (p - c for p, c in zip(galaxy.source, galaxy.trace(cx, cy), strict=True))
    major = dx * np.cos(angle) + dy * np.sin(angle)
    minor = dy * np.cos(angle) - dx * np.sin(angle)
    return z_0 + z_grad * np.hypot(q * major, minor)


def frapy_model(params, galaxy):
    """Metallicity per bin."""
    down, across = galaxy.blur
    return galaxy.mean(down @ unblurred(params, galaxy) @ across.T)


def residuals(params, galaxy):
    """(data - model) / sigma per bin; chi2 is their sum of squares, ln L is -chi2/2 up to a constant."""
    data, sigma = galaxy.measured
    return (data - frapy_model(params, galaxy)) / sigma
