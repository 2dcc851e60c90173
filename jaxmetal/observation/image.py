"""Pictures of a light."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from jaxmetal.likelihood.contract import Noise
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.observation.contract import Prediction, Quantity
from jaxmetal.observation.exposure import blurred_light, padded, residual
from jaxmetal.observation.on_grid import grid_and_registration, grid_shape, registered_grid
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.settle import plan_pixels
from jaxmetal.scene import Scene


@node
class Sky:
    """A sky pedestal, constant or planar: level + x_slope x + y_slope y, flux per pixel, x and y in arcsec."""

    level: Any = parameter("flux/pixel", role="pedestal", default=0.0)
    x_slope: Any = parameter("flux/pixel/arcsec", role="tilt", default=0.0)
    y_slope: Any = parameter("flux/pixel/arcsec", role="tilt", default=0.0)

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

    data: Any = parameter("data")
    noise: Noise
    grid: Grid
    psf: Any
    light: str = static()
    used: Any
    sky: Any = dataclasses.field(default_factory=Sky)
    dx: Any = parameter("arcsec", role="shift x", default=0.0)
    dy: Any = parameter("arcsec", role="shift y", default=0.0)

    bins = None
    properties = ()
    plan = plan_pixels
    residual = residual
    padded = padded
    shape = property(grid_shape)
    pointing = property(grid_and_registration)
    pixels = property(registered_grid)

    @property
    def quantity(self) -> Quantity:
        """Flux per pixel."""
        return Quantity(self.light, "flux/pixel")

    @property
    def subject(self) -> str:
        """The light."""
        return f"light '{self.light}'"

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs: of every source that has it, the light."""
        return [(name, self.light) for name, source in scene.sources.items() if self.light in source.lights]

    def predict(self, scene: Scene, plan: Plan) -> Prediction:
        """O[L] + sky."""
        seen = blurred_light(self, scene, plan)
        return Prediction(seen + self.sky(*self.pixels.centres()), seen)

    def describe(self) -> str:
        """Which light it shows."""
        return f"image of the {self.subject}"
