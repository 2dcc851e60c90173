"""Data of a posterior's maps against the radius at which they seem to lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.plot.profile import Points
from jaxmetal.result.predicted import radius_map
from jaxmetal.result.views import View


def points_of(seen: View, name: str, source: str, images: np.ndarray | None) -> Points:
    """The used data of a map at their radii in the frame of the property that it shows."""
    observation = seen.filled[name]
    radius = _per_datum(radius_map(seen, name, source, observation.properties[0]), observation.bins)
    data, sigma = np.asarray(observation.data, float), np.asarray(seen.sigmas[name], float)
    good = np.asarray(observation.used) & np.isfinite(radius + data + sigma)
    return Points(
        radius=radius[good],
        value=data[good],
        sigma=sigma[good],
        image=None if images is None else _image_per_datum(images, observation.bins)[good],
        model=np.asarray(seen.predictions[name].value, float)[good],
    )


def reach_of(seen: View, name: str, source: str, prop: str) -> float:
    """Radius of the outermost used datum whose light exceeds its error at the MAP, arcsec; of all used if none does.

    Pixels of sky alone say nothing of a property, however far the field goes.
    """
    observation = seen.filled[name]
    radius = _per_datum(radius_map(seen, name, source, prop), observation.bins)
    used = np.asarray(observation.used)
    bright = used & (np.asarray(seen.predictions[name].light) > np.asarray(seen.sigmas[name]))
    return float(np.nanmax(np.where(bright if bright.any() else used, radius, np.nan)))


def _per_datum(pixels: np.ndarray, bins: Any) -> np.ndarray:
    """A map as it is, or its mean over each bin."""
    pixels = np.asarray(pixels, float)
    return pixels if bins is None else np.asarray(bins.total(pixels) / bins.total(np.ones_like(pixels)))


def _image_per_datum(images: np.ndarray, bins: Any) -> np.ndarray:
    """Image numbers as they are, or the most frequent in each bin; missing ones are 0."""
    numbers = np.nan_to_num(np.asarray(images, float)).astype(int)
    if bins is None:
        return numbers
    labels = np.asarray(bins.labels)
    return np.array([np.bincount(numbers[labels == k], minlength=1).argmax() for k in range(bins.n)])
