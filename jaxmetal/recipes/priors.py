"""Priors sized by the data: functions that return a `Scene` to print and to edit.

Slopes are open on both sides and have a scale of 0.5 per half-light radius: wide for 12 + log(O/H), where -0.3 is
steep. Central values are normal about the map's median, with a width of 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpyro.distributions as dist

from jaxmetal.edge.errors import InputError
from jaxmetal.frame.contract import Frame
from jaxmetal.frame.disc import Disc
from jaxmetal.frame.inclined import InclinedDisc
from jaxmetal.frame.isotropic import Isotropic
from jaxmetal.lens.derive import Lens
from jaxmetal.light.gaussian import Gaussian
from jaxmetal.light.sersic import Sersic
from jaxmetal.numerics.profile import half_light_radius, is_as_seen, is_on_sky
from jaxmetal.observation import Image, WeightedMap, is_observation
from jaxmetal.observation.psf_form import psf_form
from jaxmetal.prior import typical
from jaxmetal.recipes.guess import Guess, guess_from_image, guess_from_map, guess_through_lens
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.tracer.broken import BrokenGradient
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.gradient import Gradient

STEEP = 0.5
"""Scale of a slope, per half-light radius, and of a central value, dex."""


def gradient(
    observed: WeightedMap,
    *,
    light: Any,
    frame: Frame | None = None,
    free_geometry: bool = False,
    thickness: float | None = None,
    source: str = "disc",
) -> Scene:
    """One disc with a linear gradient, central value and slope free.

    Args:
        observed: the map.
        light: an `Image` (the disc then has a Sersic light with flux and r_eff free and n = 1, to be fitted with the
            image; centre and shape are guessed from it), or a light profile (named "light" in the scene).
        frame: geometry, if known; else guessed from the image, or for a profile from the map.
        free_geometry: whether the guessed centre, axis ratio and position angle are free.
        thickness: intrinsic axis ratio c/a of the disc; its inclination then stands in place of its axis ratio, turned
            at random where it is free (`frame.InclinedDisc`, `frame.Isotropic`).
        source: name of the disc.

    Raises:
        InputError: if there is both a frame and a thickness, or none such.
    """
    return _disc(observed, light, Geometry(frame, free_geometry, thickness), source, _linear)


def broken_gradient(
    observed: WeightedMap,
    *,
    light: Any,
    frame: Frame | None = None,
    free_geometry: bool = False,
    thickness: float | None = None,
    source: str = "disc",
) -> Scene:
    """As `gradient`, with two slopes and the radius between them free."""
    return _disc(observed, light, Geometry(frame, free_geometry, thickness), source, _broken)


def lensed_gradient(
    observed: WeightedMap,
    *,
    light: Any,
    lens: Mapping[str, Lens],
    frame: Frame | None = None,
    thickness: float | None = None,
    source: str = "disc",
    weight: str = "light",
) -> Scene:
    """A lensed disc whose light is a picture taken through the lens; geometry, central value and slope free.

    Args:
        observed: the map, in the image plane.
        light: a `Picture` with plane="image".
        lens: name -> deflector.
        frame: source-plane geometry, if known; else guessed by tracing the light back, and free.
        thickness: as for `gradient`.
        source: name of the disc.
        weight: name of the light.

    Raises:
        InputError: if the light is none that was seen through the lens.
    """
    numbers = {name: typical(deflector) for name, deflector in lens.items()}
    if not is_as_seen(light):
        found = "one of the source" if is_on_sky(light) else type(light).__name__
        raise InputError(
            f'light: expected a Picture seen through the lens (plane="image"), found {found}; use `gradient` and add '
            "the lens."
        )
    guess = guess_through_lens(observed, numbers, typical(light))
    frame = Geometry(frame, True, thickness).of(guess, guess.r_eff)
    carried = Carried(profile=_linear(_median(observed), guess.r_eff, _steep(observed)), weight=weight)
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
    fwhm = float(psf_form(seen.psf).peak_width())
    peaks = _peaks(seen, number, 1.5 * fwhm)
    flux = guess_from_image(seen).flux / number
    value, steep = _median(observed), _steep(observed)
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
                        profile=Constant(value=dist.Normal(value, steep)), weight=image.light
                    )
                },
            )
            for k, (x, y) in enumerate(peaks, start=1)
        }
    )


class Geometry(NamedTuple):
    """What is asked of a frame, as by `frame`, `free_geometry` and `thickness` of `gradient`."""

    frame: Frame | None
    free: bool
    thickness: float | None

    def of(self, guess: Guess, wander: float) -> Frame:
        """The frame that is known, or one from a guess; a free centre lies within about `wander` arcsec."""
        if self.thickness is not None and (self.frame is not None or not 0.0 < self.thickness < 1.0):
            found = self.thickness if self.frame is None else "a frame, too"
            raise InputError(
                f"thickness: expected an axis ratio between 0 and 1 and no frame, found {found}; correct it."
            )
        if self.frame is not None:
            return self.frame
        place: dict[str, Any] = {"x0": guess.x0, "y0": guess.y0, "pa": guess.pa}
        if self.free:
            # The position angle may turn by a right angle to either side.
            turned = dist.Uniform(guess.pa - 90.0, guess.pa + 90.0)
            place = {"x0": dist.Normal(guess.x0, wander), "y0": dist.Normal(guess.y0, wander), "pa": turned}
        if self.thickness is None:
            return Disc(q=dist.Uniform(0.15, 1.0) if self.free else guess.q, **place)
        inclination = Isotropic() if self.free else _inclination(guess.q, self.thickness)
        return InclinedDisc(inclination=inclination, thickness=self.thickness, **place)


def _inclination(q: float, thickness: float) -> float:
    """Degrees, from q^2 = cos^2 i + thickness^2 sin^2 i; 90 where the disc is flatter than that."""
    return math.degrees(math.asin(min(1.0, math.sqrt((1.0 - q**2) / (1.0 - thickness**2)))))


def _disc(observed: WeightedMap, light: Any, geometry: Geometry, source: str, profile: Any) -> Scene:
    map_now, light_now = typical([observed, light])  # together, as a tie may run across both
    if is_observation(light):
        guess, weight = guess_from_image(light_now), light.light
        flux, size = dist.LogNormal(math.log(guess.flux), 1.0), dist.LogNormal(math.log(guess.r_eff), 0.5)
        light = Sersic(flux=flux, r_eff=size, n=1.0)
    else:
        guess, weight = guess_from_map(map_now), "light"
        size = half_light_radius(light_now)
        guess = guess if size is None else guess._replace(r_eff=float(size))
    frame = geometry.of(guess, 0.3 * guess.r_eff)
    carried = Carried(profile=profile(_median(observed), guess.r_eff, _steep(observed)), weight=weight)
    return Scene(
        sources={source: Source(frame=frame, lights={weight: light}, carries={observed.properties[0]: carried})}
    )


def _linear(value: float, r_eff: float, steep: float) -> Gradient:
    return Gradient(central=dist.Normal(value, steep), slope=dist.Normal(0.0, steep / r_eff))


def _broken(value: float, r_eff: float, steep: float) -> BrokenGradient:
    slope = dist.Normal(0.0, steep / r_eff)
    return BrokenGradient(
        central=dist.Normal(value, steep), inner=slope, outer=slope, r_break=dist.LogNormal(math.log(r_eff), 0.5)
    )


def _steep(observed: WeightedMap) -> float:
    """`STEEP` of a property in dex, or of no unit; of one in another, what its data span."""
    if observed.quantity.unit in ("", "dex"):
        return STEEP
    data = np.asarray(observed.data, float)[np.asarray(observed.used)]
    low, high = np.quantile(data, [0.025, 0.975])
    return float(high - low) or max(abs(float(low)), 1.0)


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
