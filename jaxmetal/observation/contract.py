"""What every observation is: the one contract that planning, prediction, checks, files and pictures rely on."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, Self

import jax

from jaxmetal.likelihood.contract import Noise
from jaxmetal.numerics.grid import Grid
from jaxmetal.scene import Scene


class Quantity(NamedTuple):
    """What data show.

    Attributes:
        label: as axes say it.
        unit: "" where there is none, or none is known.
        within: interval in which they must lie but for their noise, as of `numerics.tree.parameter`.
    """

    label: str
    unit: str
    within: str = "(-inf, inf)"

    def __str__(self) -> str:
        return f"{self.label} [{self.unit}]" if self.unit else self.label


class Prediction(NamedTuple):
    """What the instrument would record without noise.

    Attributes:
        value: of the data's shape.
        light: the blurred light behind it, of the data's shape; what a noise may scale with.
    """

    value: jax.Array
    light: jax.Array


class Numbers(NamedTuple):
    """An observation and the scene with a typical number in the place of every parameter."""

    observation: Any
    scene: Scene


class Observation(Protocol):
    """A node (`numerics.tree.node`) whose leaves are numbers, distributions and data; no base class is needed.

    `data`, `used` (True for data that count) and the arrays of `noise` are of one shape. What a kind does not have (a
    picture, say, has no bins) is None, and `properties` are then empty. Functions of this room do most of the work:
    a kind of its own that looks through a telescope takes `plan`, `residual` and `padded` from `exposure`, and writes
    `shown`, `predict` and what it is called. Data that are several maps, stacked in front, and data that are no values
    of the carried properties, are told as `planes` says.

    What looks at the lens alone has no `subject` and shows nothing. What lies on no map has neither `pixels` nor
    `pointing`, its `shape` is (), and it is a list of places: `labels` are the families of the rows, `said` has the
    unit and description of each column, x, y, sigma_x, sigma_y, x_model, y_model, source_x, source_y and
    distance_ratio among them, and `columns(scene, seen)` their numbers. A kind that integrates numbers out of its
    prediction says how many by `absorbed`; one whose likelihood has many maxima says by `starts` from how many places
    the highest is to be looked for; one that rests on calibrations says by `ranges` where they know a carried property,
    and by `ratios` whose departures change what it predicts; one that knows what its data cannot be says by `doubts()`
    what of them is doubtful.

    Attributes:
        data: what was recorded.
        noise: see `jaxmetal.likelihood`.
        used: boolean.
        psf: see `jaxmetal.instrument.psf`.
        bins: `Bins`, or None for pixels.
        properties: names of the carried properties that it shows.
        quantity: what the data are.
        subject: in words what it sees of a source, e.g. "light 'halpha'"; None where it sees none.
        shape: (ny, nx) of its pixels.
        pointing: what decides where the pixels lie on the sky, all leaves of it; the size of a pixel is never free.
        pixels: `Grid` of the pixels in the scene's coordinates, where every leaf is a number; None without.
    """

    data: Any
    noise: Noise
    used: Any
    psf: Any
    bins: Any
    properties: tuple[str, ...]

    @property
    def quantity(self) -> Quantity:
        """What the data are."""

    @property
    def subject(self) -> str | None:
        """In words, what it sees of a source."""

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of its pixels."""

    @property
    def pointing(self) -> Any:
        """All that decides where its pixels lie."""

    @property
    def pixels(self) -> Grid | None:
        """Its pixels in the scene's coordinates."""

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs that it sees."""

    def plan(self, scene: Scene, now: Numbers, asked: Any) -> Any:
        """What of its prediction is settled before sampling.

        Args:
            scene: prior.
            now: itself and the scene with typical numbers.
            asked: `Sampling`, or counts that replace some of the automatic one's; None for the automatic one.
        """

    def predict(self, scene: Scene, plan: Any) -> Prediction:
        """The noise-free observation; every leaf a number. Data are not looked at."""

    def residual(self, seen: Prediction) -> jax.Array:
        """How far the data lie from a prediction, in standard deviations."""

    def padded(self) -> Self:
        """Brought to one of few sizes, so that many share a program; itself where that cannot be."""

    def describe(self) -> str:
        """What it is, in a line."""


def is_observation(thing: Any) -> bool:
    """Whether something is an observation, of whatever kind, rather than a profile of light."""
    return hasattr(type(thing), "shown")
