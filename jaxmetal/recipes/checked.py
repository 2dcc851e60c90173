"""Errors, masks and PSFs that come with arrays of data."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import require_errors, standard_deviation
from jaxmetal.edge.ranges import numbers, require_within
from jaxmetal.instrument.forms import Kernel
from jaxmetal.likelihood.gaussian import Gaussian
from jaxmetal.numerics.grid import Grid
from jaxmetal.prior import is_site

WITHIN = {"jitter": "[0, inf)", "scale": "(0, inf)", "dx": "(-inf, inf)", "dy": "(-inf, inf)"}
"""Argument -> where its numbers lie (see `edge.ranges`)."""

UNITS = {"dx": "arcsec", "dy": "arcsec"}
"""Argument -> the unit of its numbers, where it has one of its own."""

ADVICE = "correct it, or give a distribution where it is not known"


def require_numbers(**given: Any) -> None:
    """Refuses numbers of an observation that cannot be, by the names of its arguments; distributions pass.

    Raises:
        InputError: if one of `WITHIN` is no number, or lies outside.
    """
    for name, value in given.items():
        if not is_site(value):
            numbers(name, value, WITHIN[name], UNITS.get(name, ""), advice=ADVICE)


def errors_of(data: np.ndarray, noise: Any, unit: Any = "", **styles: Any) -> np.ndarray:
    """Sigma like the data, in their unit; ones where a noise of its own takes its place."""
    if noise is None:
        return standard_deviation(data.shape, unit, **styles)
    if any(value is not None for value in styles.values()):
        raise InputError(
            "Expected either `noise` or one of sigma, variance and ivar, found both; give the errors inside the noise."
        )
    if not hasattr(noise, "pointwise"):
        raise InputError(
            f"noise: expected a noise of jaxmetal.likelihood, found {type(noise).__name__}; or give sigma."
        )
    require_within(noise, "noise")
    return np.ones(data.shape)


def noise_of(errors: np.ndarray, jitter: Any, noise: Any) -> Any:
    """A Gaussian of these errors and a jitter, or the noise that was given instead.

    Raises:
        InputError: if both a jitter and a noise are given.
    """
    if noise is None:
        return Gaussian(sigma=errors, jitter=jitter)
    if is_site(jitter) or np.any(np.asarray(jitter) != 0.0):
        raise InputError(
            f"jitter: expected none beside `noise`, found both; write it into the noise, e.g. "
            f"{type(noise).__name__}(..., jitter=...), where that takes one."
        )
    return noise


def cleaned(data: np.ndarray, errors: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, ...]:
    """Harmless numbers where nothing is used."""
    used = used & np.isfinite(data) & ~np.isposinf(errors)
    if not used.any():
        raise InputError(
            f"values: expected at least one usable datum, found none of {data.size}; check values, errors and `used`."
        )
    require_errors("sigma", errors, used)
    return np.where(used, data, np.median(data[used])), np.where(used, errors, 1.0), used


def require_psf(psf: Any, grid: Grid) -> None:
    """Refuses what is no PSF, or a kernel that does not fit the pixels."""
    if isinstance(psf, Kernel):
        return _require_kernel(psf, grid)
    if not callable(getattr(psf, "form", None)):
        raise InputError(
            f"psf: expected a PSF of jaxmetal.instrument, found {type(psf).__name__}; "
            "write e.g. instrument.Gaussian(fwhm=0.7)."
        )
    return require_within(psf, "psf")


def _require_kernel(psf: Kernel, grid: Grid) -> None:
    values = floats("psf", psf.values)
    if values.ndim != 2:
        raise InputError(f"psf: expected a kernel of two dimensions, found shape {values.shape}; give one plane.")
    if not np.isfinite(values).all():
        raise InputError("psf: expected finite numbers in the kernel, found NaN or infinity; repair it.")
    if abs(values.sum() - 1.0) > 1e-3:
        raise InputError(f"psf: expected a kernel that sums to 1, found {values.sum():.6g}; divide it by its sum.")
    psf.require_centred(psf.cells_per_pixel(np.asarray(grid.steps)))
