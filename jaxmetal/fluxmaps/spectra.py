"""Line fluxes of many places, as a telescope delivers them: spaxels of maps, bins, or rows of a table."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.select import binned
from jaxmetal.instrument.bins import Bins
from jaxmetal.numerics.grid import Grid


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spectra:
    """Fluxes and their errors.

    Attributes:
        features: what is measured, in the order of the last axes.
        flux: of spaxels, shape (ny, nx, features), or of bins and rows, (n, features); NaN where missing. A bin's is
            the mean of its spaxels.
        sigma: its errors, same shape.
        grid: the spaxels on the sky; None for a table alone.
        bins: which bin each spaxel belongs to; None for spaxels and for a table alone.
        ids: what bins or rows are called, shape (n,); None for spaxels.
    """

    features: tuple[str, ...]
    flux: np.ndarray
    sigma: np.ndarray
    grid: Grid | None = None
    bins: Bins | None = None
    ids: np.ndarray | None = None

    @property
    def known(self) -> np.ndarray:
        """Which spectra have a line at all, shape (...)."""
        return (np.isfinite(self.flux) & np.isfinite(self.sigma)).any(axis=-1)

    @property
    def kind(self) -> str:
        """What one of them is called, in the plural."""
        return "rows" if self.grid is None else "spaxels" if self.bins is None else "bins"

    @property
    def pixels(self) -> np.ndarray:
        """How many spaxels each spectrum stands for, shape (...); 1 in a table alone."""
        if self.bins is None:
            return np.ones(self.flux.shape[:-1], int)
        labels = np.asarray(self.bins.labels)
        return np.bincount(labels[labels >= 0], minlength=self.bins.n)

    def means(self, values: np.ndarray) -> np.ndarray:
        """One value per spectrum of a map (ny, nx): the mean of its spaxels."""
        if self.bins is None:
            return values
        labels = np.asarray(self.bins.labels)
        inside = labels >= 0
        return np.bincount(labels[inside], weights=values[inside], minlength=self.bins.n) / self.pixels

    def painted(self, values: Any) -> np.ndarray:
        """The map (ny, nx, ...) of values (..., ...) of the spectra, NaN outside all bins."""
        values = np.asarray(values)
        if self.bins is None:
            return values
        labels = np.asarray(self.bins.labels)
        inside = labels.reshape(*labels.shape, *(1,) * (values.ndim - 1)) >= 0
        return np.where(inside, values[np.maximum(labels, 0)].astype(float), np.nan)


def blocks(spectra: Spectra, factor: int) -> Spectra:
    """Spaxels in bins of factor x factor, on the same grid: means, with errors in quadrature.

    Rows and columns left over are in no bin; a bin with a NaN in it is NaN (as `select.binned`).

    Raises:
        InputError: if the spectra are in bins already or in no map, or the map is smaller than a bin.
    """
    if spectra.grid is None or spectra.bins is not None:
        found = "a table" if spectra.grid is None else "bins"
        raise InputError(f"binning: expected a map of spaxels, found {found}; leave the binning out.")
    shape, count = spectra.flux.shape[:2], len(spectra.features)
    pairs = [binned(spectra.flux[..., i], spectra.sigma[..., i], factor) for i in range(count)]
    flux, sigma = (np.stack(maps, axis=-1).reshape(-1, count) / factor**2 for maps in zip(*pairs, strict=True))
    ny, nx = (n // factor for n in shape)
    labels = np.full(shape, -1)
    labels[: ny * factor, : nx * factor] = np.kron(np.arange(ny * nx).reshape(ny, nx), np.ones((factor, factor), int))
    bins = Bins(labels=labels, n=ny * nx)
    return dataclasses.replace(spectra, flux=flux, sigma=sigma, bins=bins, ids=np.arange(ny * nx))
