"""Pictures that are finer than the samples, averaged once so that sums over samples see all of their light.

A picture that is sampled at points loses what lies between them, and gains or loses light as it is moved. Averaged
with weights that keep its low moments, it may be sampled at any points of the same distance.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.profile import is_as_seen, is_averaged
from jaxmetal.numerics.tree import node
from jaxmetal.prior import is_fixed
from jaxmetal.scene import Scene


@node
class Averaged:
    """A picture as it is sampled.

    Attributes:
        surface: the picture with typical numbers, averaged (see `light.Picture.averaged`).
    """

    surface: Any

    def put_into(self, picture: Any) -> Any:
        """The surface at the registration of the picture."""
        return dataclasses.replace(self.surface, dx=picture.dx, dy=picture.dy)


def averaged(shown: list[tuple[str, str]], scene: Scene, now: Scene, grid: Grid, density: float) -> dict[str, Averaged]:
    """The pictures among lights, "source.light" -> averaged, where they can be.

    Args:
        shown: (source, light) pairs.
        scene: prior.
        now: with typical numbers; pictures are sharp.
        grid: of the pixels.
        density: samples per pixel and axis.
    """
    step, found = float(np.asarray(grid.steps).max()) / density, {}
    for name, light in shown:
        if can_be_averaged(scene, name, light):
            found[f"{name}.{light}"] = Averaged(surface=now.sources[name].lights[light].averaged(step))
    return found


def can_be_averaged(scene: Scene, name: str, light: str) -> bool:
    """Whether a light is a picture whose values are known, and no lens bends the samples on it."""
    picture = scene.sources[name].lights[light]
    bent = scene.lens and not is_as_seen(picture)
    return is_averaged(picture) and not bent and is_fixed((picture.values, picture.grid))
