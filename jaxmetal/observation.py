"""What an instrument records of a scene: images and light-weighted maps, each with its grid, PSF, bins and noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal import render
from jaxmetal.instrument.psf import Difference
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.instrument.transfer import transfer
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, static
from jaxmetal.scene import Scene


@node
class Sky:
    """A sky pedestal, constant or planar: level + x_slope x + y_slope y, flux per pixel, x and y in arcsec."""

    level: Any = 0.0
    x_slope: Any = 0.0
    y_slope: Any = 0.0

    def __call__(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Flux per pixel at sky positions in arcsec."""
        return self.level + self.x_slope * x + self.y_slope * y


@node
class Image:
    """A picture of one light: O[L] + sky.

    Attributes:
        data: flux per pixel, shape (ny, nx).
        noise: see `jaxmetal.likelihood`.
        grid: pixels on the sky.
        psf: see `jaxmetal.instrument.psf`.
        light: name of the light that the image shows, of every source that has it.
        used: True for pixels that count, shape (ny, nx).
        sky: pedestal.
        dx, dy: registration, added to the grid's coordinates to give the scene's, arcsec (West, North).
    """

    data: Any
    noise: Any
    grid: Grid
    psf: Any
    light: str = static()
    used: Any
    sky: Any = dataclasses.field(default_factory=Sky)
    dx: Any = 0.0
    dy: Any = 0.0

    bins = None

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs that the image sees."""
        return [(name, self.light) for name, source in scene.sources.items() if self.light in source.lights]


@node
class WeightedMap:
    """A light-weighted property: g^-1( O[L g(P)] / O[L] ), in pixels or bins.

    Attributes:
        data: the map, shape (ny, nx), or one value per bin, shape (n bins,).
        noise: see `jaxmetal.likelihood`.
        grid: pixels on the sky.
        psf: see `jaxmetal.instrument.psf`.
        properties: names of the carried properties that the map shows: one, or (velocity, dispersion) for
            `SecondMoment`.
        mixing: see `jaxmetal.mixing`.
        used: True for pixels (or bins) that count, of the data's shape.
        bins: `Bins`, or None for pixels.
        dx, dy: registration, added to the grid's coordinates to give the scene's, arcsec (West, North).
    """

    data: Any
    noise: Any
    grid: Grid
    psf: Any
    properties: tuple[str, ...] = static()
    mixing: Any
    used: Any
    bins: Any = None
    dx: Any = 0.0
    dy: Any = 0.0

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs that the map sees: of every source with the property, the light that weights it."""
        first = self.properties[0]
        return [
            (name, source.carries[first].weight) for name, source in scene.sources.items() if first in source.carries
        ]


@node
class Plan:
    """What of an observation's prediction is settled before sampling (made by `prepare`).

    Attributes:
        sampling: the sample grid.
        beta: traced positions of the samples, or None where the lens or the registration is free.
        fluxes: "source.light" -> flux in the sample cells, for lights with nothing free.
        transfers: "" or "source.light" (lights with a blur of their own) -> transfer, for PSFs with nothing free.
        light: O[L] in pixels where no light and no PSF has anything free, or None.
        shares: name of an image of the very same light, whose prediction is this map's O[L], or None.
    """

    sampling: Sampling = static()
    beta: Any = None
    fluxes: dict[str, Any] = dataclasses.field(default_factory=dict)
    transfers: dict[str, Any] = dataclasses.field(default_factory=dict)
    light: Any = None
    shares: str | None = static(default=None)


class Prediction(NamedTuple):
    """What the instrument would record without noise: the value and the blurred light, each of the data's shape."""

    value: jax.Array
    light: jax.Array


def predict(observation: Any, scene: Scene, plan: Plan) -> Prediction:
    """The noise-free observation of a scene.

    Args:
        observation: `Image` or `WeightedMap`; its data are not looked at.
        scene: with every leaf a number.
        plan: from `prepare`.
    """
    if isinstance(observation, Image):
        seen = blurred_light(observation, scene, plan)
        return Prediction(seen + observation.sky(*registered(observation).centres()), seen)
    layers, imagers = _layers(observation, scene, plan, observation.properties)
    return Prediction(*render.blend(layers, imagers, observation.mixing, observation.bins, plan.light))


def predict_all(observations: Mapping[str, Any], scene: Scene, plans: Mapping[str, Plan]) -> dict[str, Prediction]:
    """`predict` for several observations; light that an image and a map share is blurred once.

    Args:
        observations: name -> observation, at least those planned.
        scene: with every leaf a number.
        plans: from `prepare`, of all observations or of some.
    """
    made: dict[str, Prediction] = {}
    for name in sorted(plans, key=lambda n: plans[n].shares is not None):
        plan, donor = plans[name], plans[name].shares
        if donor in made:
            plan = dataclasses.replace(plan, light=made[donor].light, transfers=plans[donor].transfers)
        made[name] = predict(observations[name], scene, plan)
    return made


def blurred_light(observation: Any, scene: Scene, plan: Plan) -> jax.Array:
    """O[L] of all lights that an observation shows: flux per pixel, shape (ny, nx)."""
    layers, imagers = _layers(observation, scene, plan, ())
    return sum((render.image(group, imager) for group, imager in zip(layers, imagers, strict=True)), jnp.zeros(()))


def _layers(
    observation: Any, scene: Scene, plan: Plan, properties: tuple[str, ...]
) -> tuple[list[list[render.Layer]], list[render.Imager]]:
    """The lights that an observation shows, sampled, in groups of one blur each, and those blurs."""
    grid = registered(observation)
    beta = render.traced(scene, grid, plan.sampling) if plan.beta is None else plan.beta
    groups: dict[str, list[render.Layer]] = {}
    for name, light in observation.shown(scene):
        key, source = f"{name}.{light}", scene.sources[name]
        layer = render.sample(scene, source, light, properties, grid, plan.sampling, beta, plan.fluxes.get(key))
        groups.setdefault("" if own_psf(source.lights[light]) is None else key, []).append(layer)
    return list(groups.values()), [_imager(key, observation, scene, plan) for key in groups]


def own_psf(light: Any) -> Any:
    """The PSF by which a picture is already blurred, or None."""
    return getattr(light, "psf", None)


def blur_of(key: str, observation: Any, scene: Scene) -> Any:
    """The PSF that still blurs a group of lights: the observation's, or the difference kernel of a blurred picture."""
    if not key:
        return observation.psf
    name, light = key.split(".", 1)
    return Difference(of=observation.psf, already=own_psf(scene.sources[name].lights[light]))


def _imager(key: str, observation: Any, scene: Scene, plan: Plan) -> render.Imager:
    known = plan.transfers.get(key)
    if known is None:
        known = transfer(blur_of(key, observation, scene), observation.grid, plan.sampling)
    return known.image


def registered(observation: Any) -> Grid:
    """The observation's grid in the scene's coordinates."""
    grid = observation.grid
    shift = observation.dx * np.array([1.0, 0.0]) + observation.dy * np.array([0.0, 1.0])
    return dataclasses.replace(grid, origin=grid.origin + shift)
