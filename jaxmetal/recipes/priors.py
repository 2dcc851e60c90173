"""Priors sized by the data: functions that return a `Scene` to print and to edit.

Slopes are open on both sides and have a scale of 0.5 per half-light radius: wide for 12 + log(O/H), where -0.3 is
steep. Central values are normal about the map's median, with a width of 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpyro.distributions as dist

from jaxmetal.edge.errors import InputError
from jaxmetal.frame.contract import Frame
from jaxmetal.frame.disc import Disc
from jaxmetal.instrument.psf import peak_width
from jaxmetal.lens.derive import Lens
from jaxmetal.light.gaussian import Gaussian
from jaxmetal.light.sersic import Sersic
from jaxmetal.numerics.profile import half_light_radius, is_on_sky
from jaxmetal.observation import Image, WeightedMap, is_observation
from jaxmetal.prior import typical
from jaxmetal.recipes.guess import Guess, guess_from_image, guess_from_map, guess_through_lens
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.tracer.broken import BrokenGradient
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.gradient import Gradient

STEEP = 0.5
"""Scale of a slope, per half-light radius, and of a central value."""


def gradient(
    observed: WeightedMap, *, light: Any, frame: Frame | None = None, free_geometry: bool = False, source: str = "disc"
) -> Scene:
    """One disc with a linear gradient, central value and slope free.

    Args:
        observed: the map.
        light: an `Image` (the disc then has a Sersic light with flux and r_eff free and n = 1, to be fitted with the
            image; centre and shape are guessed from it), or a light profile (named "light" in the scene).
        frame: geometry, if known; else guessed from the image, or for a profile from the map.
        free_geometry: whether the guessed centre, axis ratio and position angle are free.
        source: name of the disc.
    """
    return _disc(observed, light, frame, free_geometry, source, _linear)


def broken_gradient(
    observed: WeightedMap, *, light: Any, frame: Frame | None = None, free_geometry: bool = False, source: str = "disc"
) -> Scene:
    """As `gradient`, with two slopes and the radius between them free."""
    return _disc(observed, light, frame, free_geometry, source, _broken)


def lensed_gradient(
    observed: WeightedMap,
    *,
    light: Any,
    lens: Mapping[str, Lens],
    frame: Frame | None = None,
    source: str = "disc",
    weight: str = "light",
) -> Scene:
    """A lensed disc whose light is a picture taken through the lens; geometry, central value and slope free.

    Args:
        observed: the map, in the image plane.
        light: a `Picture` with plane="image", or any light.
        lens: name -> deflector.
        frame: source-plane geometry, if known; else guessed by tracing the light back, and free.
        source: name of the disc.
        weight: name of the light.
    """
    numbers = {name: typical(deflector) for name, deflector in lens.items()}
    if not is_on_sky(light):
        raise InputError(
            f"light: expected a Picture seen through the lens, found {type(light).__name__}; "
            "use `gradient` and add the lens."
        )
    guess = guess_through_lens(observed, numbers, typical(light))
    frame = _free_disc(guess, guess.r_eff) if frame is None else frame
    carried = Carried(profile=_linear(_median(observed), guess.r_eff), weight=weight)
    return Scene(
        sources={source: Source(frame=frame, lights={weight: light}, carries={observed.properties[0]: carried})},
        lens=dict(lens),
    )


def clumps(observed: WeightedMap, *, image: Image, number: int = 3, profile: Callable[..., Any] = Gaussian) -> Scene:
    """Round clumps of one metallicity each, at the brightest well-separated peaks of an image; everything free.

    Args:
        observed: the map.
        image: to be fitted with it; flux per pixel.
        number: how many.
        profile: makes the light of a clump from `flux` and `r_eff`: `light.Gaussian`, `light.Exponential` as in Metha
            et al. 2024 (RASTI, rzae010, section 5), or `functools.partial(light.Sersic, n=2.0)`.

    Raises:
        InputError: if the image has fewer peaks, or nothing stands out of its noise.
    """
    seen = typical([observed, image])[1]
    fwhm = float(peak_width(seen.psf))
    peaks = _peaks(seen, number, 1.5 * fwhm)
    flux = guess_from_image(seen).flux / number
    value = _median(observed)
    return Scene(
        sources={
            f"clump{k}": Source(
                frame=Disc(x0=dist.Normal(x, 0.5 * fwhm), y0=dist.Normal(y, 0.5 * fwhm)),
                lights={
                    image.light: profile(
                        flux=dist.LogNormal(math.log(flux), 1.0), r_eff=dist.LogNormal(math.log(fwhm), 0.5)
                    )
                },
                carries={
                    observed.properties[0]: Carried(
                        profile=Constant(value=dist.Normal(value, STEEP)), weight=image.light
                    )
                },
            )
            for k, (x, y) in enumerate(peaks, start=1)
        }
    )


def _disc(
    observed: WeightedMap, light: Any, frame: Frame | None, free_geometry: bool, source: str, profile: Any
) -> Scene:
    map_now, light_now = typical([observed, light])  # together, as a tie may run across both
    if is_observation(light):
        guess, weight = guess_from_image(light_now), light.light
        flux, size = dist.LogNormal(math.log(guess.flux), 1.0), dist.LogNormal(math.log(guess.r_eff), 0.5)
        light = Sersic(flux=flux, r_eff=size, n=1.0)
    else:
        guess, weight = guess_from_map(map_now), "light"
        size = half_light_radius(light_now)
        guess = guess if size is None else guess._replace(r_eff=float(size))
    if frame is None:
        frame = (
            _free_disc(guess, 0.3 * guess.r_eff)
            if free_geometry
            else Disc(x0=guess.x0, y0=guess.y0, q=guess.q, pa=guess.pa)
        )
    carried = Carried(profile=profile(_median(observed), guess.r_eff), weight=weight)
    return Scene(
        sources={source: Source(frame=frame, lights={weight: light}, carries={observed.properties[0]: carried})}
    )


def _free_disc(guess: Guess, wander: float) -> Disc:
    """Centre within about `wander` arcsec; the position angle may turn by a right angle to either side."""
    return Disc(
        x0=dist.Normal(guess.x0, wander),
        y0=dist.Normal(guess.y0, wander),
        q=dist.Uniform(0.15, 1.0),
        pa=dist.Uniform(guess.pa - 90.0, guess.pa + 90.0),
    )


def _linear(value: float, r_eff: float) -> Gradient:
    return Gradient(central=dist.Normal(value, STEEP), slope=dist.Normal(0.0, STEEP / r_eff))


def _broken(value: float, r_eff: float) -> BrokenGradient:
    slope = dist.Normal(0.0, STEEP / r_eff)
    return BrokenGradient(
        central=dist.Normal(value, STEEP), inner=slope, outer=slope, r_break=dist.LogNormal(math.log(r_eff), 0.5)
    )


def _median(observed: WeightedMap) -> float:
    return float(np.median(np.asarray(observed.data)[np.asarray(observed.used)]))


def _peaks(image: Image, number: int, apart: float) -> list[tuple[float, float]]:
    """Sky positions of the brightest pixels, each at least `apart` arcsec from the ones before."""
    x, y = (np.asarray(a) for a in image.pixels.centres())
    left = np.where(image.used, image.data, -np.inf)
    found: list[tuple[float, float]] = []
    for _ in range(number):
        brightest = np.unravel_index(np.argmax(left), left.shape)
        if not left[brightest] > 0:
            raise InputError(
                f"The image has only {len(found)} separate bright peaks, {number} clumps were asked for; ask for fewer."
            )
        found.append((float(x[brightest]), float(y[brightest])))
        left = np.where(np.hypot(x - found[-1][0], y - found[-1][1]) < apart, -np.inf, left)
    return found
