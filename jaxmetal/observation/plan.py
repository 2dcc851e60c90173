"""What of the prediction of an observation through a telescope is settled before sampling."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.tree import node, static
from jaxmetal.observation.averaged import Averaged
from jaxmetal.observation.sharpen import Sharp
from jaxmetal.observation.tracing import OnSamples


@node
class Plan:
    """What of a prediction is settled (made by `prepare`).

    Attributes:
        sampling: the sample grid.
        lens: the deflectors on the sample grid, or None where nothing of that is settled.
        lights: "source.light" -> what a picture is once its own blur is undone.
        averaged: "source.light" -> a picture as it is sampled.
        fluxes: "source.light" -> flux in the sample cells, for lights with nothing free.
        transfer: the blur, for a PSF with nothing free.
        light: O[L] in pixels where neither the lights nor the PSF have anything free, or None.
        shares: name of an observation of the very same light, whose prediction is this one's O[L], or None.
        of_light: whether the light behind the prediction is O[L].
    """

    of_light: ClassVar[bool] = True

    sampling: Sampling = static()
    lens: OnSamples | None = None
    lights: dict[str, Sharp] = dataclasses.field(default_factory=dict)
    averaged: dict[str, Averaged] = dataclasses.field(default_factory=dict)
    fluxes: dict[str, Any] = dataclasses.field(default_factory=dict)
    transfer: Any = None
    light: Any = None
    shares: str | None = static(default=None)

    def finer(self) -> Plan:
        """The plan of the same prediction sampled twice as finely; nothing else is settled, but for pictures."""
        return Plan(sampling=self.sampling.doubled(), lights=self.lights, averaged=self.averaged)
