"""Pictures of a light."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, static
from jaxmetal.observation.contract import Prediction, Quantity
from jaxmetal.observation.exposure import blurred_light, padded, registered, residual
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.settle import plan_pixels
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
    properties = ()
    plan = plan_pixels
    residual = residual
    padded = padded

    @property
    def quantity(self) -> Quantity:
        """Flux per pixel."""
        return Quantity(self.light, "flux/pixel")

    @property
    def subject(self) -> str:
        """The light."""
        return f"light '{self.light}'"

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return self.grid.shape

    @property
    def pointing(self) -> Any:
        """Grid and registration."""
        return self.grid, self.dx, self.dy

    @property
    def pixels(self) -> Grid:
        """The grid in the scene's coordinates."""
        return registered(self.grid, self.dx, self.dy)

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
