"""A galaxy as an integral-field spectrograph sees it line by line."""

from __future__ import annotations

import jax
import numpy as np

from jaxmetal.edge.arrays import require_pixels, require_seed
from jaxmetal.frame.disc import Disc
from jaxmetal.instrument.psf import Gaussian
from jaxmetal.light.sersic import Sersic
from jaxmetal.lines import emission
from jaxmetal.numerics.grid import Grid
from jaxmetal.prepared import predictions, prepare
from jaxmetal.recipes.of_lines import line_maps
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.simulate.drawn import noisy
from jaxmetal.simulate.exposure import Simulated
from jaxmetal.simulate.instruments import INSTRUMENTS
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.gradient import Gradient

FEATURES = {"Hb": 1.1, "OIII5007": 1.1, "Ha": 1.0, "NII6584": 1.0}
"""Line -> FWHM of its PSF over that of the instrument: seeing is better in the red."""

PEAK_SNR = 40.0
"""Signal-to-noise of the brightest pixel of Ha; all lines have the same noise."""

DEPARTURES = {"R3": 0.8, "N2": -0.6}
"""How far the galaxy's gas lies from the calibrations, in units of their scatter."""


def kmos_like(seed: int = 0, shape: tuple[int, int] = (15, 18), slope: float = -0.3, r_eff: float = 0.5) -> Simulated:
    """An n = 1 disc with a gradient and dust: maps of Hb, [O III], Ha and [N II], 0.2" pixels and PSFs of 0.6" or more.

    The noise is constant; the gas departs from the calibrations of Curti et al. 2020 as that of a galaxy does.

    Args:
        seed: of the noise.
        shape: (ny, nx).
        slope: dex per arcsec.
        r_eff: half-light radius along the major axis, arcsec.
    """
    require_seed(seed)
    require_pixels("shape", shape)
    truth = Scene(
        sources={
            "disc": Source(
                frame=Disc(x0=0.05, y0=-0.04, q=0.6, pa=40.0),
                lights={"Hbeta": Sersic(flux=100.0, r_eff=r_eff, n=1.0)},
                carries={
                    "metallicity": Carried(profile=Gradient(central=8.65, slope=slope), weight="Hbeta"),
                    "extinction": Carried(profile=Constant(value=1.0), weight="Hbeta"),
                },
                departures=dict(DEPARTURES),
            )
        }
    )
    kmos, model = INSTRUMENTS["KMOS"], emission(list(FEATURES), "C20", law="CCM89")
    blank = {name: np.zeros(shape) for name in FEATURES}
    psf = {name: Gaussian(fwhm=round(width * kmos.fwhm, 3)) for name, width in FEATURES.items()}
    grid = Grid.regular(shape, kmos.pixel)
    plain = {"lines": line_maps(blank, model, psf=psf, sigma=1.0, grid=grid)}
    seen = predictions(plain, truth, prepare(truth, plain))
    sigma = float(seen["lines"].light[list(FEATURES).index("Ha")].max()) / PEAK_SNR
    template = {"lines": line_maps(blank, model, psf=psf, sigma=sigma, grid=grid)}
    return Simulated(truth=truth, observations=noisy(template, seen, jax.random.key(seed)))
