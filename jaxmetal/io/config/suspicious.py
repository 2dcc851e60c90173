"""What a configuration says that can hardly be right, judged by what its data show."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.plausible import (
    apart,
    astray,
    footprint,
    loud,
    misdirected,
    turned_over,
    wide_blur,
    width_of,
)
from jaxmetal.instrument.psf import fwhm
from jaxmetal.model import SCENE
from jaxmetal.numerics.profile import half_light_radius, is_as_seen, is_on_sky
from jaxmetal.observation import Channel, doubts_of, planes, shows_properties
from jaxmetal.prior import bounds, is_site
from jaxmetal.recipes.guess import guess_from_image
from jaxmetal.result.extrapolated import extrapolated

WIDEST = 2.0
"""Largest FWHM over the longer side of a map: anything wider is a wrong unit, and costs memory without end."""
FAINT = 0.1
"""Share of the peak of the light below which it has no part in its centre."""


def suspicious(prior: Mapping[str, Any], now: Mapping[str, Any]) -> list[Finding]:
    """Warnings of all that data speak against.

    Args:
        prior: scene and observations, see `model.tree`.
        now: the same with a typical number in the place of every parameter.

    Raises:
        InputError: if a PSF is far wider than its map.
    """
    scene, observations = now[SCENE], {name: one for name, one in now.items() if name != SCENE}
    found = [finding for name, one in observations.items() for finding in _of_blur(name, one, scene)]
    found += [finding for name, one in observations.items() for finding in _of_errors(name, one)]
    found += [finding for name, one in observations.items() for finding in _of_place(name, one, scene, observations)]
    found += [
        Finding("warning", f"observations.{name}: {text}.")
        for name, one in observations.items()
        for text in doubts_of(one)
    ]
    return [*found, *extrapolated(scene, observations), *_of_direction(prior[SCENE], scene, observations)]


def _of_blur(name: str, now: Any, scene: Any) -> list[Finding]:
    """Whether the widths of the PSFs of an observation can be right."""
    found = []
    for plane in planes(now):
        if plane.psf is not None:
            found += _of_plane(".".join(filter(None, ["observations", name, plane.name, "psf"])), now, plane, scene)
    return found


def _of_errors(name: str, now: Any) -> list[Finding]:
    """Whether the errors of an observation can be those of its data."""
    found = []
    for plane in planes(now):
        used = plane.of(now.used)
        where = ".".join(filter(None, ["observations", name, plane.name]))
        found += loud(where, plane.of(now.data)[used], _sigma(now, plane)[used], plane.quantity.unit)
    return found


def _of_plane(where: str, now: Any, plane: Channel, scene: Any) -> list[Finding]:
    area = float(now.pixels.pixel_area)
    width, pixel = fwhm(plane.psf), float(np.sqrt(area))
    across = max(now.shape) * pixel
    require_narrow(where, width, across)
    if width < pixel and plane.psf.form().route != "fft":  # kernels are judged where they are read
        text = f"{where}: the FWHM ({width:.3g} arcsec) is below a pixel ({pixel:.3g} arcsec); check its unit."
        return [Finding("warning", text)]
    return wide_blur(where, width, across, _width(now, plane, area), _size(now, scene))


def require_narrow(where: str, width: float, across: float) -> None:
    """Refuses a PSF that is far wider than its map, both in arcsec."""
    if width > WIDEST * across:
        raise InputError(
            f"{where}: the FWHM ({width:.3g} arcsec) is {width / across:.1f} times as wide as the map "
            f"({across:.3g} arcsec); check its unit."
        )


def _width(now: Any, plane: Channel, area: float) -> float | None:
    """How wide what an observation shows is, arcsec; None where it is no picture of the sky, or noise rules."""
    if not _is_picture(now):
        return None
    weight = _weight(now, plane)
    if shows_properties(now):
        return footprint(weight > 0.0, area)
    return width_of(_light(now, plane), np.where(weight > 0.0, weight, np.inf) ** -0.5, area)


def _is_picture(now: Any) -> bool:
    """Whether the data, or the bins that they are of, lie on the pixels."""
    return now.bins is not None or np.shape(now.data)[-2:] == tuple(now.shape)


def _size(now: Any, scene: Any) -> float | None:
    """Half-light radius of the largest source that a map shows; None where it is not known, or a lens enlarges it."""
    if scene.lens or not shows_properties(now):
        return None
    known = [half_light_radius(scene.sources[source].lights[light]) for source, light in now.shown(scene)
             if light in scene.sources[source].lights]  # fmt: skip
    return max((float(one) for one in known if one is not None), default=None)


def _of_place(name: str, now: Any, scene: Any, observations: Mapping[str, Any]) -> list[Finding]:
    """Whether a map lies as the light that weights it does, in images and pictures."""
    if not shows_properties(now) or not _is_picture(now):
        return []
    where, weight = f"observations.{name}", _weight(now, planes(now)[0])
    x, y = (np.asarray(one) for one in now.pixels.centres())
    weights = {light for _, light in now.shown(scene)}
    found: list[Finding] = []
    for of, light in _lights(weights, x, y, scene, observations):
        found += turned_over(where, weight, light, of) or _astray(where, x, y, weight, light, of)
    return found


def _astray(where: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray, light: np.ndarray, of: str) -> list[Finding]:
    if not light[weight > 0.0].any():
        return apart(where, of)
    bright = np.where((weight > 0.0) & (light > FAINT * light.max()), light, 0.0)
    if not bright.any():
        return []
    middle, centre = (np.array([np.average(x, weights=w), np.average(y, weights=w)]) for w in (weight, bright))
    radius = np.sqrt(np.average((x - centre[0]) ** 2 + (y - centre[1]) ** 2, weights=bright))
    return astray(where, middle, centre, float(radius), of)


def _lights(
    weights: set[str], x: np.ndarray, y: np.ndarray, scene: Any, observations: Mapping[str, Any]
) -> Iterator[tuple[str, np.ndarray]]:
    """What is known of some lights at positions on the sky: whose it is, and how bright there."""
    from scipy.ndimage import map_coordinates

    for name, image in observations.items():
        shown = {light for _, light in image.shown(scene)}
        if not shows_properties(image) and _is_picture(image) and shown & weights:
            column, row = (np.asarray(one) for one in image.pixels.to_pixel(x, y))
            light = np.sum([_light(image, plane) for plane in planes(image)], axis=0)
            yield f"observations.{name}", map_coordinates(light, [row, column], order=1)
    for name, source in scene.sources.items():
        for light in weights & set(source.lights):
            picture = source.lights[light]
            if is_on_sky(picture) and is_as_seen(picture):
                yield f"sources.{name}.lights.{light}", np.asarray(picture(x, y))


def _of_direction(prior: Any, scene: Any, observations: Mapping[str, Any]) -> list[Finding]:
    """Whether the position angle of a galaxy that is alone can be what an image of it shows."""
    if scene.lens or len(scene.sources) != 1:
        return []
    [(name, source)] = prior.sources.items()
    for field in dataclasses.fields(source.frame):
        if field.metadata.get("role") == "position angle":
            given = getattr(source.frame, field.name)
            low, high = bounds(given) if isinstance(given, Distribution) else (given, given)
            if not is_site(low) and np.ndim(low) == 0 and np.isfinite(low) and np.isfinite(high):
                seen = next(_directions(observations), None)
                return misdirected(f"sources.{name}.frame.{field.name}", float(low), float(high), seen)
    return []


def _directions(observations: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Position angle and axis ratio of what images show."""
    for one in observations.values():
        if not one.properties and _is_picture(one):
            with contextlib.suppress(InputError):
                guess = guess_from_image(one)
                yield guess.pa, guess.q


def _light(image: Any, plane: Channel) -> np.ndarray:
    """Data of a map of light on its pixels, 0 where they are not used."""
    used = plane.of(image.used)
    return _painted(image, np.where(used, np.nan_to_num(plane.of(image.data)), 0.0))


def _weight(now: Any, plane: Channel) -> np.ndarray:
    """1 / sigma^2 of the used pixels of a map, 0 elsewhere."""
    used = plane.of(now.used)
    return _painted(now, np.where(used, np.where(used, _sigma(now, plane), 1.0) ** -2.0, 0.0))


def _sigma(now: Any, plane: Channel) -> np.ndarray:
    """Errors of a map, or of its bins."""
    data = np.asarray(now.data, float)
    return plane.of(np.broadcast_to(now.noise.standard_deviation(data, np.ones_like(data)), data.shape))


def _painted(now: Any, values: np.ndarray) -> np.ndarray:
    return values if now.bins is None else np.nan_to_num(np.asarray(now.bins.paint(values)))
