"""Observations from NumPy arrays: cleaned, checked, reduced to bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import as_grid, as_map, as_mask, floats, require_some
from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.instrument.bins import Bins
from jaxmetal.likelihood.contract import Noise
from jaxmetal.mixing import Dex, Mixing
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.quantities import flux_unit, plain, unit_of
from jaxmetal.observation import Image, Sky, WeightedMap
from jaxmetal.observation.weighted_map import known
from jaxmetal.recipes.binned import as_bins, of_used, require_filled
from jaxmetal.recipes.checked import cleaned, errors_of, noise_of, require_numbers, require_psf
from jaxmetal.recipes.responses import responses


def metallicity_map(values: Any, *, mixing: Mixing | None = None, **keywords: Any) -> WeightedMap:
    """A map of 12 + log(O/H), dex, that mixes as 10^Z unless another mixing is given; arguments as `weighted_map`."""
    return weighted_map(values, properties=("metallicity",), mixing=Dex() if mixing is None else mixing, **keywords)


def weighted_map(
    values: Any,
    *,
    properties: tuple[str, ...],
    mixing: Mixing,
    psf: Any,
    sigma: Any = None,
    variance: Any = None,
    ivar: Any = None,
    noise: Noise | None = None,
    grid: Grid | None = None,
    pixel_scale: float | None = None,
    bins: Any = None,
    used: Any = None,
    jitter: Any = 0.0,
    shared: Mapping[str, Any] | None = None,
    dx: Any = 0.0,
    dy: Any = 0.0,
) -> WeightedMap:
    """A light-weighted map. NaN (and masked) pixels, and those without an error, are not used.

    Args:
        values: (ny, nx); with `bins` also one value per bin, (n,). Quantities of astropy are taken in any unit of the
            right dimension, here and below: 12 + log(O/H) in dex, errors in the unit of the data, lengths in arcsec.
        properties: names of the carried properties that it shows.
        mixing: see `jaxmetal.mixing`.
        psf: see `jaxmetal.instrument.psf`.
        sigma: standard deviation, a number or an array like `values`; inf: no datum.
        variance: its square, instead.
        ivar: inverse variance, instead; 0: no datum.
        noise: any noise of `jaxmetal.likelihood`, instead; its arrays are taken as they are.
        grid: pixels on the sky.
        pixel_scale: instead, arcsec, for square pixels with North up around the origin.
        bins: `Bins`, or a map of labels (negative: no bin) in which `values` and errors are constant.
        used: boolean, like `values`: True for data that count. Pixels of a map that are not used are in no bin, so that
            what is left of a bin is that of its other pixels; a bin without others is not used as a whole.
        jitter: intrinsic scatter added in quadrature, a number or a distribution.
        shared: what all data share: line ratio -> by how much each moves if the galaxy's gas departs from the
            calibration by its scatter, an array like `values`. Errors are then without it; both
            by `spaxel.apart`.
        dx: registration to the West, arcsec.
        dy: registration to the North, arcsec.

    Raises:
        InputError: if any of these cannot be used; the sentence says which and what to do.
    """
    if len(properties) != mixing.properties:
        raise InputError(
            f"properties: expected {mixing.properties} for {type(mixing).__name__}, found {len(properties)} "
            f"({', '.join(properties)}); name as many."
        )
    unit = mixing.unit or known(properties).unit or unit_of(values)
    data, bins = (as_map("values", values, unit), None) if bins is None else _binned(values, bins, unit)
    grid = as_grid(grid, pixel_scale, data.shape if bins is None else np.shape(bins.labels))
    require_psf(psf, grid)
    mask, errors = as_mask(used, data.shape), errors_of(data, noise, unit, sigma=sigma, variance=variance, ivar=ivar)
    jitter = plain("jitter", jitter, unit)
    require_numbers(jitter=jitter, dx=dx, dy=dy)
    if bins is not None:
        bins, data, errors, mask = _reduce(data, errors, mask, bins)
    data, errors, mask = cleaned(data, errors, mask)
    require_filled(bins, mask)
    noise = noise_of(errors, jitter, noise)
    return WeightedMap(
        data=data,
        noise=noise,
        grid=grid,
        psf=psf,
        properties=properties,
        mixing=mixing,
        used=mask,
        bins=bins,
        shared=responses(shared or {}, mask, bins, np.shape(values), unit),
        dx=dx,
        dy=dy,
    )


def light_image(
    values: Any,
    *,
    light: str,
    psf: Any,
    sigma: Any = None,
    variance: Any = None,
    ivar: Any = None,
    noise: Noise | None = None,
    grid: Grid | None = None,
    pixel_scale: float | None = None,
    used: Any = None,
    jitter: Any = 0.0,
    sky: Any = None,
    dx: Any = 0.0,
    dy: Any = 0.0,
) -> Image:
    """An image of one light, flux per pixel; arguments as `weighted_map`.

    Args:
        values: (ny, nx); as quantities in any unit but magnitudes and those per beam or solid angle, which is then that
            of the fluxes and of errors that are quantities.
        light: name of the light that it shows.
        psf: see `jaxmetal.instrument.psf`.
        sigma: standard deviation.
        variance: its square, instead.
        ivar: inverse variance, instead.
        noise: any noise, instead.
        grid: pixels on the sky.
        pixel_scale: instead, arcsec.
        used: boolean.
        jitter: added in quadrature, flux per pixel.
        sky: a `Sky`; default none.
        dx: registration to the West, arcsec.
        dy: registration to the North, arcsec.

    Raises:
        InputError: if any of these cannot be used.
    """
    if not isinstance(sky, Sky | None):
        raise InputError(f"sky: expected a Sky, found {shown(sky)}; write e.g. observation.Sky(level=0.1).")
    unit = flux_unit("values", values)
    data = as_map("values", values, unit)
    jitter = plain("jitter", jitter, unit)
    require_numbers(jitter=jitter, dx=dx, dy=dy)
    grid = as_grid(grid, pixel_scale, data.shape)
    require_psf(psf, grid)
    errors = errors_of(data, noise, unit, sigma=sigma, variance=variance, ivar=ivar)
    data, errors, mask = cleaned(data, errors, as_mask(used, data.shape))
    noise = noise_of(errors, jitter, noise)
    return Image(
        data=data,
        noise=noise,
        grid=grid,
        psf=psf,
        light=light,
        used=mask,
        sky=Sky() if sky is None else sky,
        dx=dx,
        dy=dy,
    )


def _binned(values: Any, bins: Any, unit: str) -> tuple[np.ndarray, Bins]:
    """A map that is constant in bins, or one value for each of them; and the bins."""
    data = floats("values", values, unit)
    bins = as_bins(bins, data.shape if data.ndim == 2 else None)
    if data.ndim not in (1, 2):
        raise InputError(
            f"values: expected a map (ny, nx) or one value per bin, found shape {data.shape}; give one plane."
        )
    require_some("values", data)
    return data, bins


def _reduce(
    data: np.ndarray, errors: np.ndarray, used: np.ndarray, bins: Bins
) -> tuple[Bins, np.ndarray, np.ndarray, np.ndarray]:
    """Bins of used pixels; data, errors and mask by bin, which is used if any of its pixels is."""
    if data.ndim == 2:
        used = used & np.isfinite(data) & ~np.isposinf(errors)
        bins = of_used(bins, used)
    data, errors = np.where(used, data, np.nan), np.where(used, errors, np.nan)
    data, errors = (per_bin(*one, bins.labels, bins.n) for one in (("values", data), ("sigma", errors)))
    return bins, data, errors, np.isfinite(data)
