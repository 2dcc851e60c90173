"""Errors of a gradient against signal-to-noise, blur and pixels: Fisher's, and those of simulated fits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpyro.distributions as dist

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.ranges import number
from jaxmetal.frame.disc import Disc
from jaxmetal.instrument import psf
from jaxmetal.light.sersic import Sersic
from jaxmetal.lines.names import look_up
from jaxmetal.planning.curvature import fisher
from jaxmetal.planning.trials import maxima
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import fill
from jaxmetal.recipes.observations import metallicity_map
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.simulate.exposure import DETECTED, DEX_TIMES_SNR, FLOOR
from jaxmetal.tracer.gradient import Gradient

CENTRAL = "scene.sources.disc.carries.metallicity.profile.central"
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
REACH = 3.0
"""Half the side of the maps, effective radii."""
WIDE = 30.0
"""Standard deviation of the priors of simulated fits over Fisher's error: they take 1 / (2 WIDE^2) off the scatter."""


class Setting(NamedTuple):
    """An observation to plan; lengths are in effective radii, so that it holds for a galaxy of any size.

    Attributes:
        snr: signal-to-noise of the line in all of the effective radius' ellipse together, without blur: blur and pixels
            then change nothing of the exposure.
        fwhm_per_r_eff: of the point-spread function.
        pixels_per_r_eff: pixels across an effective radius.
        q: axis ratio.
        slope: dex per R_e.
    """

    snr: float
    fwhm_per_r_eff: float
    pixels_per_r_eff: float
    q: float = 0.6
    slope: float = -0.15


def observed(setting: Setting) -> tuple[Scene, dict[str, Any], dict[str, float]]:
    """The prior scene of a setting, its observation without data, and the truth.

    The light is a Sersic disc (n = 1) under a constant noise; the error of the metallicity in a pixel is 2 dex over the
    line's signal-to-noise there, with a floor of 0.03 dex, and there is none where the line is below 3 times the noise.

    Raises:
        InputError: if a number lies outside its range, or no pixel is bright enough for a metallicity.
    """
    return _of_light(setting, _light(setting))


def _light(setting: Setting) -> np.ndarray:
    """The image of the line, over its noise in a pixel."""
    _require_usable(setting)
    pixel = 1.0 / setting.pixels_per_r_eff
    side = 2 * int(np.ceil(REACH / pixel)) + 1
    maps, truth = {"metallicity": _map(setting, np.ones((side, side)), True)}, _truth(setting)
    scene = fill({"scene": _disc(setting)}, truth)["scene"]
    light = np.asarray(predictions(maps, scene, prepare(scene, maps))["metallicity"].light)
    # Half of the flux, 1, lies within the ellipse, whose area is pi q pixels of side R_e.
    return light * (setting.snr * np.sqrt(np.pi * setting.q)) / (0.5 * pixel)


def _of_light(setting: Setting, snr: np.ndarray) -> tuple[Scene, dict[str, Any], dict[str, float]]:
    used = snr > DETECTED
    sigma = np.hypot(FLOOR, DEX_TIMES_SNR / np.where(used, snr, 1.0))
    return _disc(setting), {"metallicity": _map(setting, sigma, used)}, _truth(setting)


def _map(setting: Setting, sigma: np.ndarray, used: Any) -> Any:
    return metallicity_map(
        np.zeros(sigma.shape),
        psf=psf.Gaussian(fwhm=setting.fwhm_per_r_eff),
        sigma=sigma,
        used=np.broadcast_to(used, sigma.shape),
        pixel_scale=1.0 / setting.pixels_per_r_eff,
    )


def _truth(setting: Setting) -> dict[str, float]:
    return {CENTRAL: 8.6, SLOPE: setting.slope}


def _require_usable(setting: Setting) -> None:
    for name, interval in {
        **dict.fromkeys(Setting._fields[:3], "(0, inf)"),
        "q": "(0, 1]",
        "slope": "(-inf, inf)",
    }.items():
        number(name, getattr(setting, name), interval)


def _disc(setting: Setting) -> Scene:
    """A disc of known light and shape, of effective radius 1, central value and gradient free."""
    gradient = Gradient(central=dist.Normal(8.5, 1.0), slope=dist.Normal(0.0, 1.0))
    return Scene(
        sources={
            "disc": Source(
                frame=Disc(q=setting.q, pa=30.0),
                lights={"halpha": Sersic(flux=1.0, r_eff=1.0, n=1.0)},
                carries={"metallicity": Carried(profile=gradient, weight="halpha")},
            )
        }
    )


def fisher_error(setting: Setting) -> float:
    """Fisher error of the gradient of a disc of known geometry and light, dex per R_e."""
    return fisher(*observed(setting)).error(SLOPE)


class Scatter(NamedTuple):
    """What fits of simulated data say.

    Attributes:
        bias: mean of the maxima minus the truth, dex per R_e.
        sd: standard deviation of the maxima over noise draws.
        quoted: mean of the errors that the fits quote themselves (Laplace).
        draws: number of noise draws.
    """

    bias: float
    sd: float
    quoted: float
    draws: int


def simulated_error(setting: Setting, count: int = 50, seed: int = 0) -> Scatter:
    """Fits `count` noise draws of a setting, and looks at the scatter of the maxima, dex per R_e.

    Central value and slope have normal priors about the truth, 30 times as wide as their Fisher errors, so that the
    maxima are those of the likelihood: what Fisher errors can be checked with.

    Raises:
        InputError: as `observed`, if there are fewer than two noise draws, or a fit finds no maximum.
    """
    require_count("count", count, 2)
    scene, blank, truth = observed(setting)
    information = fisher(scene, blank, truth)
    wide = {name: dist.Normal(value, WIDE * information.error(name)) for name, value in truth.items()}
    found = maxima(fill({"scene": scene}, wide)["scene"], blank, truth, count, seed)
    best, quoted = found.best[SLOPE], found.quoted[SLOPE]
    return Scatter(float(best.mean() - setting.slope), float(best.std(ddof=1)), float(quoted.mean()), count)


def forecast(
    snr: Sequence[float], fwhm_per_r_eff: Sequence[float], pixels_per_r_eff: Sequence[float], **fixed: float
) -> dict[str, np.ndarray]:
    """A table of Fisher errors on a grid of settings.

    Args:
        snr: see `Setting`.
        fwhm_per_r_eff: see `Setting`.
        pixels_per_r_eff: see `Setting`.
        fixed: `q`, `slope` of all.

    Returns:
        Columns snr, fwhm_per_r_eff, pixels_per_r_eff and error (dex per R_e), one row per combination; where too few
        pixels are bright enough for a metallicity, the error is infinite.

    Raises:
        InputError: if a number lies outside its range, or `fixed` has other names.
    """
    for name in fixed:
        look_up("fixed", name, Setting._field_defaults)
    settings = [Setting(*place, **fixed) for place in itertools.product(snr, fwhm_per_r_eff, pixels_per_r_eff)]
    columns = {name: np.array([getattr(s, name) for s in settings]) for name in Setting._fields[:3]}
    return columns | {"error": np.array([_error_or_infinite(s) for s in settings])}


def _error_or_infinite(setting: Setting) -> float:
    """Two numbers cannot be told from the data where fewer than three pixels have a metallicity."""
    snr = _light(setting)
    return fisher(*_of_light(setting, snr)).error(SLOPE) if np.sum(snr > DETECTED) > 2 else np.inf
