"""A galaxy as JWST's NIRISS grism sees it."""

from __future__ import annotations

import jax

from jaxmetal.edge.arrays import require_pixels, require_seed
from jaxmetal.edge.ranges import number
from jaxmetal.frame.disc import Disc
from jaxmetal.instrument import psf
from jaxmetal.light.sersic import Sersic
from jaxmetal.numerics.grid import Grid
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.simulate.exposure import Simulated, expose
from jaxmetal.simulate.instruments import INSTRUMENTS
from jaxmetal.tracer.gradient import Gradient

PEAK_SNR = 60.0
"""Signal-to-noise of the brightest pixel of the line image."""


def niriss_like(
    seed: int = 0, shape: tuple[int, int] = (25, 29), slope: float = -1.0, r_eff: float = 0.15
) -> Simulated:
    """An n = 1 disc with a gradient: an emission-line image and a metallicity map, 0.066" pixels and a PSF of 0.15".

    By default as compact as many galaxies at z = 1 to 3 are, with an R_e (1.3 kpc at z = 1.5) as long as the PSF is
    wide, so that a straight line through the pixels is much too flat. The image has a constant noise and a peak
    signal-to-noise of 60; errors of the metallicity as in `expose`, 0.03 dex and a floor of 0.03 dex in the brightest
    pixel.

    Args:
        seed: of the noise.
        shape: (ny, nx).
        slope: dex per arcsec.
        r_eff: half-light radius along the major axis, arcsec.
    """
    require_seed(seed)
    require_pixels("shape", shape)
    slope, r_eff = number("slope", slope), number("r_eff", r_eff, "(0, inf)")
    truth = Scene(
        sources={
            "disc": Source(
                frame=Disc(x0=0.04, y0=-0.03, q=0.6, pa=40.0),
                lights={"halpha": Sersic(flux=100.0, r_eff=r_eff, n=1.0)},
                carries={"metallicity": Carried(profile=Gradient(central=8.6, slope=slope), weight="halpha")},
            )
        }
    )
    niriss = INSTRUMENTS["NIRISS"]
    grid, blur = Grid.regular(shape, niriss.pixel), psf.Gaussian(fwhm=niriss.fwhm)
    return expose(truth, grid=grid, psf=blur, peak_snr=PEAK_SNR, key=jax.random.key(seed))
