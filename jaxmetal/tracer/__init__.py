"""Tracers: properties that the light carries, as functions on the plane of a disc.

A tracer is called `tracer(u, v)` with arcsec on the disc (u along the major axis) and returns the property: 12 +
log(O/H) in dex, km/s, mag. Radii are deprojected, in arcsec; slopes are per arcsec of that radius. Azimuths count
from the major axis towards +v, in degrees.

Imports: numerics. To add a tracer: a file with one node, whose fields declare what they are (`parameter`) and which may
say its symmetry (`turns`, see `numerics.profile`), its name in `__all__`, and a line in `PROFILES` of
`tests/test_tracers.py`, which tests values and gradients. A plain function wrapped in `jax.tree_util.Partial` is a
tracer too.
"""

from jaxmetal.numerics.field import Field
from jaxmetal.numerics.sum import Sum
from jaxmetal.tracer.blob import Blob
from jaxmetal.tracer.broken import BrokenGradient
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.convert import slope_from_circularised, slope_from_frapy, slope_to_circularised, slope_to_frapy
from jaxmetal.tracer.core import FlattenedCore
from jaxmetal.tracer.exponential import Exponential
from jaxmetal.tracer.gradient import Gradient
from jaxmetal.tracer.harmonics import AzimuthalHarmonics
from jaxmetal.tracer.nodes import RadialNodes
from jaxmetal.tracer.rotation import Rotation
from jaxmetal.tracer.spiral import SpiralArms
from jaxmetal.tracer.tabulated import Tabulated

__all__ = [
    "AzimuthalHarmonics",
    "Blob",
    "BrokenGradient",
    "Constant",
    "Exponential",
    "Field",
    "FlattenedCore",
    "Gradient",
    "RadialNodes",
    "Rotation",
    "SpiralArms",
    "Sum",
    "Tabulated",
    "slope_from_circularised",
    "slope_from_frapy",
    "slope_to_circularised",
    "slope_to_frapy",
]
