"""Annuli laid over reconstructed fluxes: how much of every independent measurement each of them holds."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array, eye_array

from jaxmetal.edge.arrays import as_mask, floats
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.reconstruction import Reconstruction


class Areas(Protocol):
    """What fluxes are summed over: annuli (`Rings`), or cells (`places.SourceCells`)."""

    @property
    def grid(self) -> Grid:
        """Pixels that they lie on."""

    @property
    def shares(self) -> csr_array:
        """Fraction of each pixel in each of them, shape (n, pixels of the flattened grid)."""


class Stacks(NamedTuple):
    """What annuli hold of independent measurements (image pixels, or bins of them).

    Attributes:
        flux: of the measurements, shape (measurements, features); NaN where missing.
        sigma: their errors.
        mean: weights of the measurements in each source pixel, summing to 1, shape (source pixels, measurements).
        shares: of the source pixels in each annulus, shape (annuli, source pixels); those that nothing covers are 0.
        area: of a source pixel over that of an image pixel, which fluxes are given per.
    """

    flux: np.ndarray
    sigma: np.ndarray
    mean: csr_array
    shares: csr_array
    area: float

    @property
    def operator(self) -> csr_array:
        """Weights of the measurements in the flux of each annulus."""
        return csr_array(self.shares @ self.mean) * self.area

    @property
    def spaxels(self) -> np.ndarray:
        """Image pixels that each annulus is as large as, for priors of the Hb of one; 1 where nothing is."""
        count = self.shares.sum(axis=1) * self.area
        return np.where(count > 0.0, count, 1.0)

    @property
    def correlation(self) -> np.ndarray:
        """Of the errors of annuli, which share pixels that lie in several, (annuli, annuli): the mean of the lines."""
        operator, made = self.operator, []
        for variance in np.nan_to_num(self.sigma.T) ** 2:
            covariance = (operator.multiply(variance[None, :]) @ operator.T).toarray()
            size = np.sqrt(np.diag(covariance))
            scale = np.outer(size, size)
            made.append(np.divide(covariance, scale, out=np.eye(len(size)), where=scale > 0.0))
        return np.asarray(np.mean(made, axis=0))

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Fluxes and errors of the annuli, shape (annuli, features); NaN where nothing is.

        The source's own flux, as `Reconstruction.flux`: of annuli in the image that on the sky.
        """
        operator = self.operator
        total, square = operator @ self.flux, operator.power(2) @ self.sigma**2
        empty = (operator.sum(axis=1) <= 0.0)[:, None]
        return np.where(empty, np.nan, total), np.where(empty, np.nan, np.sqrt(square))


def stacked_rings(
    made: Reconstruction, rings: Areas, flux: Any, sigma: Any, *, bins: Bins | None = None, used: Any = None
) -> Stacks:
    """Lays annuli over reconstructed fluxes; only image pixels with every line that there is at all take part.

    Args:
        made: the reconstruction; `in_image` for annuli on the image itself.
        rings: on its source pixels.
        flux: per image pixel (of a bin its mean pixel), shape (ny, nx, features).
        sigma: its errors.
        bins: pixels of one are one measurement.
        used: True for the source pixels that take part, shape of the source's map; all by default.

    Raises:
        InputError: if shapes differ, `used` is not boolean, or nothing has every line.
    """
    flux, sigma = floats("flux", flux), floats("sigma", sigma)
    if flux.ndim != 3 or flux.shape != sigma.shape or flux.shape[:2] != tuple(made.image.shape):
        raise InputError(
            f"flux: expected fluxes and errors of shape {(*made.image.shape, 'features')}, found {flux.shape} and "
            f"{sigma.shape}; stack the lines along the last axis."
        )
    if tuple(rings.grid.shape) != tuple(made.grid.shape):
        raise InputError(
            f"rings: expected the {tuple(made.grid.shape)} pixels of the reconstruction, found "
            f"{tuple(rings.grid.shape)}; lay them over its grid."
        )
    usable = np.isfinite(flux) & np.isfinite(sigma)
    good = usable[..., usable.any(axis=(0, 1))].all(axis=-1) & made.used & usable.any(axis=-1)
    labels = np.arange(good.size) if bins is None else np.asarray(bins.labels).ravel()
    good = good.ravel() & (labels >= 0)
    if not good.any():
        raise InputError("flux: expected pixels with every line, found none; leave out a line that is often missing.")
    _, first, number = np.unique(labels[good], return_index=True, return_inverse=True)
    pixels = np.flatnonzero(good)
    gathers = csr_array((np.ones(pixels.size), (pixels, number)), shape=(good.size, first.size))
    overlap = csr_array(made.overlap @ gathers)
    total = overlap.sum(axis=1)
    covered = (total > 0.0) & as_mask(used, tuple(made.grid.shape)).ravel()
    inverse = np.divide(1.0, total, out=np.zeros(total.size), where=covered)
    chosen = pixels[first]
    return Stacks(
        flux=flux.reshape(good.size, -1)[chosen],
        sigma=sigma.reshape(good.size, -1)[chosen],
        mean=csr_array(overlap.multiply(inverse[:, None])),
        shares=csr_array(rings.shares.multiply(covered[None, :].astype(float))),
        area=float(made.grid.pixel_area) / float(made.image.pixel_area),
    )


def in_image(grid: Grid, used: Any = None) -> Reconstruction:
    """The image as its own source plane, for annuli on a lensed radius map (`image_rings`).

    Args:
        grid: pixels of the image.
        used: True for the pixels that take part, shape (ny, nx); all by default.

    Raises:
        InputError: if it is not boolean, has another shape or is False everywhere.
    """
    count, mask = int(np.prod(grid.shape)), as_mask(used, tuple(grid.shape))
    overlap = csr_array(eye_array(count) * float(grid.pixel_area))
    return Reconstruction(image=grid, grid=grid, overlap=overlap, used=mask, seen=np.ones(mask.shape, int))
