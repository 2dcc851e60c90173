"""What an instrument with a constant noise records of a disc: the image of a line, and a metallicity map from lines."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.edge.ranges import number
from jaxmetal.likelihood.gaussian import Gaussian
from jaxmetal.mixing import Dex
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import Image, WeightedMap
from jaxmetal.prepared import predictions, prepare
from jaxmetal.recipes.observations import light_image, metallicity_map
from jaxmetal.scene import Scene
from jaxmetal.simulate.drawn import noisy

FLOOR = 0.03
"""Error of the metallicity of infinitely bright pixels, dex."""
DEX_TIMES_SNR = 2.0
"""Error of the metallicity of the brightest pixel times its signal-to-noise, dex."""
DETECTED = 3.0
"""Line signal-to-noise below which there is no metallicity."""


class Simulated(NamedTuple):
    """A scene and what was observed of it."""

    truth: Scene
    observations: dict[str, Any]


def expose(truth: Scene, *, grid: Grid, psf: Any, peak_snr: float, key: jax.Array) -> Simulated:
    """An image of the light "halpha" and a map of the "metallicity" that it weights.

    The image has a constant noise. The metallicity's errors grow where the line is faint, sigma^2 = 0.03^2 + (2 /
    peak_snr)^2 I_peak / I dex^2, with no measurement below a signal-to-noise of 3.

    Args:
        truth: every leaf a number.
        grid: pixels on the sky.
        psf: see `jaxmetal.instrument.psf`.
        peak_snr: signal-to-noise of the brightest pixel of the image.
        key: of the noise.
    """
    peak_snr = number("peak_snr", peak_snr, "(0, inf)")
    everywhere, zeros = np.ones(grid.shape, bool), np.zeros(grid.shape)
    blank: dict[str, Any] = {
        "halpha": Image(data=zeros, noise=Gaussian(sigma=1.0), grid=grid, psf=psf, light="halpha", used=everywhere),
        "metallicity": WeightedMap(
            data=zeros,
            noise=Gaussian(sigma=1.0),
            grid=grid,
            psf=psf,
            properties=("metallicity",),
            mixing=Dex(),
            used=everywhere,
        ),
    }
    seen = predictions(blank, truth, prepare(truth, blank))
    light = np.asarray(seen["halpha"].light)
    noise = float(light.max()) / peak_snr
    at_peak = DEX_TIMES_SNR / peak_snr
    sigma = np.sqrt(FLOOR**2 + at_peak**2 * light.max() / np.maximum(light, 1e-3 * light.max()))
    templates = {
        "halpha": light_image(zeros, light="halpha", psf=psf, sigma=noise, grid=grid),
        "metallicity": metallicity_map(zeros, psf=psf, sigma=sigma, used=light > DETECTED * noise, grid=grid),
    }
    return Simulated(truth=truth, observations=noisy(templates, seen, key))
