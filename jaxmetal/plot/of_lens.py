"""The lens of a posterior: critical curves and caustics at the MAP."""

from __future__ import annotations

import numpy as np

from jaxmetal.lens import Plane
from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.result.critical import Curves, critical_curves
from jaxmetal.result.views import View, view


def lensing(posterior: Posterior | View, name: str, source: str) -> Curves:
    """Critical curves and caustics at the MAP for a source, in the frame of an observation; none without a lens."""
    seen = view(posterior, observation=name, source=source)
    scene = seen.filled[SCENE]
    if not scene.lens:
        return Curves([], [])
    plane = Plane(parts=scene.lens, distance_ratio=scene.sources[source].distance_ratio)
    return critical_curves(plane, seen.filled[name].pixels, refine=False)


def critical_lines(seen: View, name: str) -> list[np.ndarray]:
    """Critical curves in the frame of an observation, for one of the sources that it shows at each distance."""
    scene = seen.filled[SCENE]
    shown = [source for source, _ in seen.filled[name].shown(scene)]
    each = {float(scene.sources[source].distance_ratio): source for source in shown}
    return [line for source in each.values() for line in lensing(seen, name, source).critical]
