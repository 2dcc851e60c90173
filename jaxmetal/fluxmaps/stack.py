"""Maps of one object from several orients or exposures: on one grid, and averaged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import as_map
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.interpolate import cubic, cubic_variance


class Stacked(NamedTuple):
    """A mean of maps.

    Attributes:
        flux: shape (ny, nx), NaN where no map has a flux.
        sigma: its errors, inf there.
        depth: number of maps that have one.
    """

    flux: np.ndarray
    sigma: np.ndarray
    depth: np.ndarray


def onto(flux: Any, sigma: Any, grid: Grid, to: Grid) -> tuple[np.ndarray, np.ndarray]:
    """A map of fluxes per pixel on other pixels: turned, moved and rescaled, by cubic convolution.

    The surface brightness between pixels is interpolated, and times the area of the new pixels is their flux. Errors
    are those of independent pixels through the same weights; neighbours in the result share noise
    (`likelihood.blank_sky_correlation`). Pixels much larger than those of the map miss flux: bin it first.

    Args:
        flux: shape of `grid`, NaN for unknown.
        sigma: its errors, a number or of that shape.
        grid: pixels of the map on the sky (`io.wcs_to_grid`); an offset found by `offset` is a shift of it.
        to: pixels that are wanted.

    Returns:
        Flux and sigma of the new pixels; NaN and inf where the map does not reach.

    Raises:
        InputError: if the map has another shape than its grid, or new pixels are over twice as large.
    """
    values = as_map("flux", flux)
    if values.shape != tuple(grid.shape):
        raise InputError(
            f"flux: expected the shape {tuple(grid.shape)} of its grid, found {values.shape}; cut it alike."
        )
    ratio = float(to.pixel_area / grid.pixel_area)
    if ratio > 4.0:
        raise InputError(
            f"to: expected pixels at most twice as large as those of the map, found {np.sqrt(ratio):.2f} times; bin "
            "the map first, or take smaller ones."
        )
    errors = np.broadcast_to(np.asarray(sigma, float), values.shape)
    known = np.isfinite(values) & np.isfinite(errors)
    largest = np.abs(errors[known]).max(initial=0.0) or 1.0  # squares of errors in cgs are 0 in single precision
    variance = np.where(known, (errors / largest) ** 2, np.nan)
    column, row = grid.to_pixel(*to.centres())
    moved = ratio * np.asarray(cubic(jnp.asarray(np.where(known, values, np.nan)), column, row, outside=jnp.nan))
    spread = largest * ratio * np.sqrt(cubic_variance(jnp.asarray(variance), column, row, outside=jnp.nan))
    return moved, np.where(np.isfinite(moved), spread, np.inf)


def stacked(maps: Iterable[tuple[Any, Any]]) -> Stacked:
    """The mean weighted by inverse variance of maps (flux, sigma) on the same pixels.

    F = sum_k f_k / s_k^2 / sum_k 1 / s_k^2, with the error (sum_k 1 / s_k^2)^(-1/2), of the maps that have a flux.

    Raises:
        InputError: if there is no map, shapes differ, or an error is not positive.
    """
    pairs = [(as_map("flux", flux), sigma) for flux, sigma in maps]
    if not pairs or len({flux.shape for flux, _ in pairs}) > 1:
        found = ", ".join(str(flux.shape) for flux, _ in pairs) or "none"
        raise InputError(f"stacked: expected maps of one shape, found {found}; lay them onto one grid first.")
    flux = np.stack([one for one, _ in pairs])
    sigma = np.stack([np.broadcast_to(np.asarray(error, float), one.shape) for one, error in pairs])
    known = np.isfinite(flux) & np.isfinite(sigma)
    if np.any(sigma[known] <= 0.0):
        raise InputError(f"sigma: expected errors above 0, found {sigma[known].min():g}; give NaN where there is none.")
    weight = np.where(known, np.where(known, sigma, 1.0) ** -2.0, 0.0)
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, error = np.sum(weight * np.where(known, flux, 0.0), axis=0) / total, total**-0.5
    return Stacked(flux=mean, sigma=error, depth=known.sum(axis=0))
