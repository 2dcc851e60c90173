"""Line fluxes through an aperture or a slit, beside maps: of lines that only a spectrum has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.apertures import Aperture
from jaxmetal.lines.emitted import Emission
from jaxmetal.lines.model_grid import Photoionisation
from jaxmetal.observation import LineMaps
from jaxmetal.recipes.of_lines import line_maps


def line_fluxes(
    fluxes: Mapping[str, float],
    emission: Emission | Photoionisation,
    *,
    aperture: Aperture,
    sigma: Mapping[str, float],
    limits: tuple[str, ...] = (),
    **keywords: Any,
) -> LineMaps:
    """Fluxes summed over an aperture or slit: line maps of one bin.

    Args:
        fluxes: feature -> flux, in the unit of the light of Hb; of the features of `emission`, in any order.
        emission: from `lines.emission(list(fluxes), ...)`.
        aperture: of `instrument.slit` or `instrument.circle`.
        sigma: feature -> standard deviation.
        limits: features whose flux is an upper limit.
        **keywords: of `line_maps`: psf, light, reddened, scale, dx, dy, jitter.

    Raises:
        InputError: if a flux has no error, a limit no flux, or as `line_maps`.
    """
    for name in limits:
        if name not in fluxes:
            raise InputError(
                f"limits: '{name}' is none of the fluxes ({', '.join(fluxes)}); give its limit as its flux."
            )
    return line_maps(
        {name: np.array([flux], float) for name, flux in fluxes.items()},
        emission,
        sigma={name: np.array([one], float) for name, one in sigma.items()},
        limits={name: np.array([True]) for name in limits},
        grid=aperture.grid,
        bins=aperture.bins,
        **keywords,
    )
