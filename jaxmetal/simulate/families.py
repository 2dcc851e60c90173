"""Mock catalogues of multiple images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.ranges import number
from jaxmetal.observation import Positions
from jaxmetal.recipes.positions import multiple_images


def image_families(
    images: Mapping[str, Any],
    *,
    sigma: float,
    key: jax.Array,
    distance_ratio: Mapping[str, Any] | float = 1.0,
    plane: str = "source",
) -> Positions:
    """Positions of multiple images with Gaussian errors; families of one image alone are left out.

        plane = jm.lens.Plane(parts=lens)
        images = {name: jm.result.image_positions(plane, x, y, field) for name, (x, y) in sources.items()}
        observed = jm.simulate.image_families(images, sigma=0.1, key=jax.random.key(0))

    Args:
        images: family -> its images, with arrays `x` and `y`, arcsec (West, North): of `result.image_positions`, or of
            any other solver.
        sigma: of the errors along x and along y, arcsec.
        key: random key.
        distance_ratio: see `recipes.multiple_images`.
        plane: likewise.

    Raises:
        InputError: as `recipes.multiple_images`, if there is no family of two images.
    """
    sigma = number("sigma", sigma, "(0, inf)", "arcsec")
    several = {name: one for name, one in images.items() if len(one.x) > 1}
    family = [name for name, one in several.items() for _ in one.x]
    true = np.array([[getattr(one, axis)[k] for one in several.values() for k in range(len(one.x))] for axis in "xy"])
    x, y = true + sigma * np.asarray(jax.random.normal(key, true.shape))
    if isinstance(distance_ratio, Mapping):
        distance_ratio = {name: distance_ratio[name] for name in several}
    return multiple_images(family, x, y, sigma=sigma, distance_ratio=distance_ratio, plane=plane)
