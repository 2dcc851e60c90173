"""Observations whose data are several maps of the same pixels, and what data say of carried properties.

Both have a usual answer, so that a kind says something only where its own differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.observation.contract import Quantity

STARTS = 3
"""Of the optimiser, where an observation does not ask for more."""


class Channel(NamedTuple):
    """One map among the data of an observation.

    Attributes:
        name: "" where it is the only one.
        index: where it is in arrays of the data's shape.
        quantity: what it shows.
        psf: its blur.
    """

    name: str
    index: Any
    quantity: Quantity
    psf: Any

    def of(self, values: Any) -> Any:
        """Its part of an array of the data's shape."""
        return np.asarray(values)[self.index]


def planes(observation: Any) -> tuple[Channel, ...]:
    """The maps of an observation: what its method `planes()` says where its kind has one, else one."""
    if hasattr(type(observation), "planes"):
        return observation.planes()
    return (Channel("", ..., observation.quantity, observation.psf),)


def absorbed(observation: Any) -> int:
    """How many numbers a kind integrates out of its prediction, which fits the data as if they were free."""
    return observation.absorbed if hasattr(type(observation), "absorbed") else 0


def starts_of(observation: Any) -> int:
    """From how many places a maximum is to be looked for: `starts` of a kind that has many maxima."""
    return observation.starts if hasattr(type(observation), "starts") else STARTS


def ranges_of(observation: Any) -> Mapping[str, tuple[float, float]]:
    """Carried property -> where what a kind predicts of it is founded: `ranges` of a kind that says so."""
    return observation.ranges if hasattr(type(observation), "ranges") else {}


def ratios_of(observation: Any) -> tuple[str, ...]:
    """Line ratios whose departures (of a source) change what is predicted: `ratios` of a kind that says so."""
    return observation.ratios if hasattr(type(observation), "ratios") else ()


def doubts_of(observation: Any) -> list[str]:
    """What of its data can hardly be right, of a kind that says so by `doubts()`."""
    return observation.doubts() if hasattr(type(observation), "doubts") else []


def used_somewhere(observation: Any) -> np.ndarray:
    """Pixels or bins with a datum that counts in any of the maps."""
    return np.any([plane.of(observation.used) for plane in planes(observation)], axis=0)


def used_pixels(observation: Any) -> np.ndarray:
    """Pixels, (ny, nx), with a datum that counts in any of the maps, their own or that of their bin."""
    used = used_somewhere(observation)
    if observation.bins is None:
        return used
    return np.nan_to_num(np.asarray(observation.bins.paint(used.astype(float)))) > 0


def shows_properties(observation: Any) -> bool:
    """Whether the data are values of a carried property, and not only depend on it."""
    return bool(observation.properties) and not hasattr(type(observation), "property_units")


def property_units(observation: Any) -> Mapping[str, str]:
    """Property -> its unit: that of the data, where these are its values, else as `property_units` of its kind says."""
    if hasattr(type(observation), "property_units"):
        return observation.property_units
    return dict.fromkeys(observation.properties, observation.quantity.unit)
