"""What a source is at places on its plane, and where pixels lie there."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.frame import deprojected_radius
from jaxmetal.machine import Program, program
from jaxmetal.scene import Position, Source, carried_value, trace


class OnSource(NamedTuple):
    """A source at positions on its plane.

    Attributes:
        radius: deprojected (semi-major-axis) radius, arcsec.
        radii: property -> the same in the frame in which the property is told, its own where it has one.
        carried: property -> its value.
    """

    radius: Any
    radii: dict[str, Any]
    carried: dict[str, Any]


def on_source(source: Source, beta: Any) -> OnSource:
    """What a source, with every leaf a number, is at positions on its plane (x, y), arcsec."""
    return jax.tree.map(np.asarray, _on_source(source, beta))


@program()
def _on_source(source: Source, beta: Position) -> OnSource:
    carried = {name: carried_value(source, name, beta) for name in source.carries}
    radii = {name: deprojected_radius(source.frame_of(name), *beta) for name in source.carries}
    return OnSource(deprojected_radius(source.frame, *beta), radii, carried)


# One program, instead of one for each of its operations.
traced_by = Program(trace)
"""Where a lens takes places on the sky; arguments as of `scene.trace`."""
