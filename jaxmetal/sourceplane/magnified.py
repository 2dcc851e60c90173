"""Magnification of a part of an image, in the ways that papers take it, and over ensembles of lenses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.arrays import as_mask, booleans, floats, require_shape
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.regions import magnification
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.reconstruction import Reconstruction, reconstruct
from jaxmetal.sourceplane.traced import trace

FINE = 2
"""Parts along each side of a pixel."""
SHARES = (0.16, 0.5, 0.84)


class Magnified(NamedTuple):
    """Of one part of an image under one lens; all positive.

    Attributes:
        flux_ratio: flux on the sky over that of the reconstruction.
        by_map: area on the sky over that at the source: of light that is even over the part.
        light_weighted: sum f / sum (f / |mu|), with |mu| of each pixel.
    """

    flux_ratio: float
    by_map: float
    light_weighted: float


class MagnificationSpread(NamedTuple):
    """Of one part of an image over the lenses of one ensemble, or over the medians of several.

    Attributes:
        median: of the magnification.
        low: 16 %.
        high: 84 %.
        lenses: how many.
    """

    median: float
    low: float
    high: float
    lenses: int

    @property
    def errors(self) -> tuple[float, float]:
        """(lower, upper), for `spaxel.total`, which takes them on into star-formation rates and masses."""
        return self.median - self.low, self.high - self.median

    @property
    def relative(self) -> float:
        """Half of what lies between 16 and 84 %, over the median (Curti et al. 2020, MNRAS 492, 821, Fig. 4)."""
        return 0.5 * (self.high - self.low) / self.median


def region_magnification(lens: Lens | None, grid: Grid, light: Any, mask: Any, pixel: float) -> Magnified:
    """The magnification of the light in a mask.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which the source lies.
        grid: pixels of the image.
        light: flux per pixel, shape (ny, nx); NaN, and what is not above 0, has no weight.
        mask: True for the pixels of one image of the source, same shape.
        pixel: side of a source pixel, arcsec, for the flux ratio.

    Raises:
        InputError: as `reconstruct` and `fluxmaps.regions.magnification`, or if the light has another shape.
    """
    made = reconstruct(lens, grid, pixel, used=as_mask(mask, tuple(grid.shape), "mask"))
    return magnified(made, trace(lens, grid, FINE).magnification, light)


def magnified(made: Reconstruction, mu: np.ndarray, light: Any) -> Magnified:
    """The same of what is reconstructed already.

    Args:
        made: of one image of the source.
        mu: magnification of the pixels of the image, signed, shape (ny, nx).
        light: as `region_magnification`.

    Raises:
        InputError: as `fluxmaps.regions.magnification`, or if the light has another shape.
    """
    shining, inside = _shining(light, made.image), made.used
    weighted = magnification(shining, mu, inside)
    inverse = 1.0 / np.abs(mu[inside])
    own = float(made.flux(np.where(inside, shining, np.nan)))
    return Magnified(
        flux_ratio=float(shining[inside].sum()) / own,
        by_map=float(np.isfinite(inverse).sum() / np.nansum(inverse)),
        light_weighted=weighted,
    )


def over_lenses(models: Mapping[str, Sequence[Lens]], grid: Grid, light: Any, mask: Any) -> dict[str, Any]:
    """The light-weighted magnification over the lenses of each model, and across the models.

    Args:
        models: name -> lenses, as draws of one model's posterior.
        grid: pixels of the image.
        light: as `region_magnification`.
        mask: as `region_magnification`.

    Returns:
        Name -> `MagnificationSpread` within that model; "across" that of the models' medians. The two are apart: models
        differ by more than each of them admits.

    Raises:
        InputError: if a model has no lens, is called "across", or as `region_magnification`.
    """
    if "across" in models or not models or not all(len(one) for one in models.values()):
        raise InputError(
            "models: expected at least one model with at least one lens, none of them called 'across', found "
            f"{ {name: len(one) for name, one in models.items()} }; correct them."
        )
    shining, inside = _shining(light, grid), booleans("mask", mask, tuple(grid.shape))
    found = {
        name: _spread([magnification(shining, trace(lens, grid, FINE).magnification, inside) for lens in lenses])
        for name, lenses in models.items()
    }
    return found | {"across": _spread([one.median for one in found.values()])}


def _shining(light: Any, grid: Grid) -> np.ndarray:
    flux = floats("light", light)
    require_shape("light", flux, tuple(grid.shape))
    return np.nan_to_num(np.maximum(flux, 0.0))


def _spread(values: Sequence[float]) -> MagnificationSpread:
    low, median, high = (float(one) for one in np.quantile(values, SHARES))
    return MagnificationSpread(median, low, high, len(values))
