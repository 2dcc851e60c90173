"""A galaxy as JWST's NIRISS grism sees it."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.frame.disc import Disc
from jaxmetal.instrument import psf
from jaxmetal.light.sersic import Sersic
from jaxmetal.likelihood.gaussian import Gaussian
from jaxmetal.mixing import Dex
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import Image, WeightedMap
from jaxmetal.prepare import prepare
from jaxmetal.recipes.observations import light_image, metallicity_map
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.simulate.draw import draw, noiseless
from jaxmetal.tracer.gradient import Gradient

PIXEL = 0.066
"""NIRISS pixels, arcsec."""
FWHM = 0.15
PEAK_SNR = 40.0
"""Signal-to-noise of the brightest pixel of the line image."""
FLOOR, AT_PEAK = 0.03, 0.05
"""Errors of the metallicity, dex: of infinitely bright pixels, and what the brightest adds to it in quadrature."""
DETECTED = 3.0
"""Line signal-to-noise below which there is no metallicity."""


class Simulated(NamedTuple):
    """A scene and what was observed of it."""

    truth: Scene
    observations: dict[str, Any]


def niriss_like(seed: int = 0, shape: tuple[int, int] = (39, 45), slope: float = -0.25) -> Simulated:
    """An n = 1 disc with a gradient: an emission-line image and a metallicity map, 0.066" pixels and a PSF of 0.15".

    The image has a constant noise and a peak signal-to-noise of 40. The metallicity's errors grow where the line is
    faint, sigma^2 = 0.03^2 + 0.05^2 I_peak / I dex^2, with no measurement below a signal-to-noise of 3.

    Args:
        seed: of the noise.
        shape: (ny, nx).
        slope: dex per arcsec.
    """
    truth = Scene(
        sources={
            "disc": Source(
                frame=Disc(x0=0.04, y0=-0.03, q=0.6, pa=40.0),
                lights={"halpha": Sersic(flux=100.0, r_eff=0.5, n=1.0)},
                carries={"metallicity": Carried(profile=Gradient(central=8.6, slope=slope), weight="halpha")},
            )
        }
    )
    grid, blur = Grid.regular(shape, PIXEL), psf.Gaussian(fwhm=FWHM)
    everywhere, zeros = np.ones(shape, bool), np.zeros(shape)
    blank: dict[str, Any] = {
        "halpha": Image(data=zeros, noise=Gaussian(sigma=1.0), grid=grid, psf=blur, light="halpha", used=everywhere),
        "metallicity": WeightedMap(
            data=zeros,
            noise=Gaussian(sigma=1.0),
            grid=grid,
            psf=blur,
            properties=("metallicity",),
            mixing=Dex(),
            used=everywhere,
        ),
    }
    light = np.asarray(noiseless(blank["halpha"], truth, prepare(truth, blank)["halpha"]).light)
    noise = float(light.max()) / PEAK_SNR
    sigma = np.sqrt(FLOOR**2 + AT_PEAK**2 * light.max() / np.maximum(light, 1e-3 * light.max()))
    templates = {
        "halpha": light_image(zeros, light="halpha", psf=blur, sigma=noise, grid=grid),
        "metallicity": metallicity_map(zeros, psf=blur, sigma=sigma, used=light > DETECTED * noise, grid=grid),
    }
    return Simulated(truth=truth, observations=draw(truth, templates, jax.random.key(seed)))
