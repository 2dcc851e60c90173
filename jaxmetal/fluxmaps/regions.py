"""Regions of a galaxy: masks, and the fluxes summed over them for the likelihood that the spaxels have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import booleans
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.likelihood import correlation_matrix
from jaxmetal.numerics.grid import Grid


def aperture(grid: Grid, x: float, y: float, radius: float) -> np.ndarray:
    """Pixels whose centres lie in a circle on the sky, shape (ny, nx), bool.

    Args:
        grid: the pixels.
        x: centre, arcsec to the West of the grid's sky origin.
        y: the same to the North.
        radius: arcsec.

    Raises:
        InputError: if there is no such pixel.
    """
    columns, rows = (np.asarray(one) for one in grid.centres())
    inside = np.hypot(columns - x, rows - y) <= radius
    return _some(inside, f"a pixel within {radius:g} arcsec of ({x:g}, {y:g}) arcsec")


def between(radius: np.ndarray, low: float, high: float) -> np.ndarray:
    """Pixels with low <= radius < high, in the unit of the radius map, of its shape; NaN lies nowhere.

    Raises:
        InputError: if there is no such pixel.
    """
    radius = np.asarray(radius, float)
    return _some((radius >= low) & (radius < high), f"a pixel with a radius from {low:g} to {high:g}")


def covered(flux: np.ndarray, sigma: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Pixels of a region that have every line which the region has at all, shape (ny, nx), bool.

    Sums over these alone compare like with like: a line that is missing in some pixels would otherwise look faint.

    Args:
        flux: shape (ny, nx, features), NaN where missing.
        sigma: same shape; inf or NaN where missing.
        mask: True for the pixels of the region, shape (ny, nx).

    Raises:
        InputError: if the mask is not boolean, or has another shape.
    """
    usable = np.isfinite(flux) & np.isfinite(sigma) & booleans("mask", mask, np.shape(flux)[:2])[..., None]
    lines = usable.any(axis=(0, 1))
    return usable[..., lines].all(axis=-1) & bool(lines.any())


def summed(
    flux: Any, sigma: Any, masks: Mapping[str, Any], bins: Bins | None = None, correlation: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes of regions and their errors, in the order of the masks: F = sum_p f_p over the pixels that are `covered`.

    Pixels are independent, and var F = sum_p sigma_p^2, or have a correlation rho, as resampling leaves between
    neighbours: var F = sum_pq sigma_p sigma_q rho_pq. Those of one bin share one measurement: with n_b pixels of bin b
    in the region, F = sum_b n_b f_b and var F = sum_b (n_b sigma_b)^2.

    Args:
        flux: per pixel, in a bin the mean of its pixels; shape (ny, nx, features), NaN where missing.
        sigma: its errors, same shape.
        masks: region -> True for its pixels, shape (ny, nx).
        bins: in which fluxes and errors are constant; pixels in no bin do not count.
        correlation: of pixels, see `likelihood.KernelCorrelation`; not of bins.

    Returns:
        Fluxes and errors, shape (regions, features); NaN for lines without a flux anywhere in the region.

    Raises:
        InputError: if the shapes differ, a mask is not boolean, there is no region, or a correlation beside bins.
    """
    flux, sigma = np.asarray(flux, float), np.asarray(sigma, float)
    masks = {name: booleans(f"region '{name}'", mask, np.shape(mask)) for name, mask in masks.items()}
    shapes = {mask.shape for mask in masks.values()} | ({np.shape(bins.labels)} if bins is not None else set())
    if flux.ndim != 3 or sigma.shape != flux.shape or not masks or shapes != {flux.shape[:2]}:
        raise InputError(
            f"regions: expected fluxes and errors of shape (ny, nx, features) and at least one mask of (ny, nx), found "
            f"{flux.shape}, {sigma.shape} and {sorted(shapes)}; cut them alike."
        )
    if bins is not None and correlation is not None:
        raise InputError("correlation: expected none beside bins, whose errors are those of whole bins; leave it out.")
    labels = np.arange(flux[..., 0].size).reshape(flux.shape[:2]) if bins is None else np.asarray(bins.labels)
    kept = [covered(flux, sigma, mask & (labels >= 0)) for mask in masks.values()]
    sums = [_sum(flux, sigma, one, labels) for one in kept]
    if correlation is not None:
        sums = [
            (total, _together(sigma, one, correlation, error)) for (total, error), one in zip(sums, kept, strict=True)
        ]
    return np.stack([one for one, _ in sums]), np.stack([error for _, error in sums])


def magnification(light: np.ndarray, factor: np.ndarray, mask: np.ndarray) -> float:
    """That of a region's light as a whole: sum f / sum (f / |mu|), so that total / magnification is the source's own.

    Args:
        light: flux per pixel, shape (ny, nx); pixels at or below 0 have no weight.
        factor: the magnification mu of each pixel, same shape, of either parity.
        mask: True for the pixels of the region, same shape.

    Raises:
        InputError: if the mask is not boolean or has another shape, mu is 0 or no number somewhere in the region where
            there is light, or there is no light.
    """
    shining = booleans("mask", mask, np.shape(light)) & (np.asarray(light) > 0.0)
    flux, mu = np.asarray(light)[shining], np.abs(np.asarray(factor)[shining])
    if not flux.size:
        raise InputError("magnification: expected light above 0 somewhere in the region, found none; check the fluxes.")
    if not np.all(np.isfinite(mu) & (mu > 0.0)):
        raise InputError(
            f"magnification: expected numbers other than 0 in all {mu.size} pixels with light, found "
            f"{int(np.sum(~(np.isfinite(mu) & (mu > 0.0))))} without; use a larger map, or a smaller region."
        )
    return float(flux.sum() / np.sum(flux / mu))


def _sum(flux: np.ndarray, sigma: np.ndarray, kept: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and error over the pixels that are kept; pixels with one label are one measurement."""
    if not kept.any():
        nothing = np.full(flux.shape[-1], np.nan)
        return nothing, nothing
    _, first, count = np.unique(labels[kept], return_index=True, return_counts=True)
    values, errors = flux[kept][first], sigma[kept][first]
    lines = np.isfinite(flux[kept]).all(axis=0) & np.isfinite(sigma[kept]).all(axis=0)
    total, error = count @ values, np.sqrt(count**2 @ errors**2)
    return np.where(lines, total, np.nan), np.where(lines, error, np.nan)


def _together(sigma: np.ndarray, kept: np.ndarray, correlation: Any, alone: np.ndarray) -> np.ndarray:
    """Errors of sums of pixels whose noise is alike; NaN where they are NaN for independent ones."""
    alike, errors = correlation_matrix(correlation, *np.nonzero(kept)), np.nan_to_num(sigma[kept], posinf=0.0)
    return np.where(np.isfinite(alone), np.sqrt(np.einsum("pf,pq,qf->f", errors, alike, errors, optimize=True)), np.nan)


def _some(mask: np.ndarray, what: str) -> np.ndarray:
    if not mask.any():
        raise InputError(f"A region must have {what}, but has none; check centre and unit.")
    return mask
