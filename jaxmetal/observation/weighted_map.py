"""Maps of a property, averaged over the light that carries it."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxmetal import render
from jaxmetal.likelihood.contract import Noise
from jaxmetal.mixing import Mixing
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.observation.contract import Prediction, Quantity
from jaxmetal.observation.exposure import imager, layers, padded, residual
from jaxmetal.observation.on_grid import grid_and_registration, grid_shape, registered_grid
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.settle import plan_pixels
from jaxmetal.scene import Scene

KNOWN = {
    "metallicity": Quantity("12 + log(O/H)", "dex", within="[4, 11]"),
    "velocity": Quantity("velocity", "km/s"),
    "dispersion": Quantity("dispersion", "km/s", within="[0, inf)"),
    "extinction": Quantity("A$_V$", "mag"),
}
"""Properties of which more is known than their name."""


@node
class Response:
    """How a map was made to move, as a whole, by what it was derived from: a departure of the gas from a calibration.

    Attributes:
        per_scatter: by how much each datum moves where the gas departs by the scatter of the calibration, shape of the
            data (`spaxel.apart`).
        departure: of the galaxy, in units of that scatter; Normal(0, 1) is what the calibration says.
    """

    per_scatter: Any = parameter("data")
    departure: Any = parameter("scatter", role="departure")


@node
class WeightedMap:
    """A light-weighted property: g^-1( O[L g(P)] / O[L] ) + sum_k departure_k response_k, in pixels or bins.

    The sum is of a map that was derived by calibrations from which the galaxy's gas departs: an error that all its data
    share, and that would be counted as often as there are data if it were in their noise.

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
        shared: line ratio -> `Response`.
        dx, dy: registration, added to the grid's coordinates to give the scene's, arcsec (West, North).
    """

    data: Any = parameter("data")
    noise: Noise
    grid: Grid
    psf: Any
    properties: tuple[str, ...] = static()
    mixing: Mixing
    used: Any
    bins: Any = None
    shared: dict[str, Response] = dataclasses.field(default_factory=dict)
    dx: Any = parameter("arcsec", role="shift x", default=0.0)
    dy: Any = parameter("arcsec", role="shift y", default=0.0)

    plan = plan_pixels
    residual = residual
    shape = property(grid_shape)
    pointing = property(grid_and_registration)
    pixels = property(registered_grid)

    @property
    def quantity(self) -> Quantity:
        """The property, in the unit of its mixing."""
        return known(self.properties)._replace(unit=self.mixing.unit)

    @property
    def subject(self) -> str:
        """The property."""
        return f"property '{self.properties[0]}'"

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs: of every source with the property, the light that weights it."""
        return carriers(scene, self.properties[0])

    def predict(self, scene: Scene, plan: Plan) -> Prediction:
        """The blended property with what moves it as a whole, and the light that weights it."""
        seen = layers(self, scene, plan, self.properties)
        blended, light = render.blend(seen, imager(self, plan), self.mixing, self.bins, plan.light)
        moved = sum((one.departure * one.per_scatter for one in self.shared.values()), start=blended)
        return Prediction(moved, light)

    def padded(self) -> WeightedMap:
        """See `exposure.padded`."""
        return padded(self, ("data", "noise", "used", "shared"))

    def describe(self) -> str:
        """What it shows, and how that is averaged."""
        return f"light-weighted map of {', '.join(self.properties)}, {type(self.mixing).__name__} mixing"


def known(properties: tuple[str, ...]) -> Quantity:
    """What is known of what a map of these properties shows, whatever its mixing."""
    return KNOWN.get(properties[-1], Quantity(properties[-1], ""))


def carriers(scene: Scene, prop: str) -> list[tuple[str, str]]:
    """(source, light) pairs of every source that carries a property: the light that weights it."""
    return [(name, source.carries[prop].weight) for name, source in scene.sources.items() if prop in source.carries]
