"""Light: surface brightness on the plane of a disc.

A light is called `light(u, v)` with arcsec on the disc and returns flux per arcsec^2 of the disc's plane; over that
plane it sums to `flux`. (Who looks at the disc from the sky divides by the frame's axis ratio.) `r_eff` is the
half-light radius, which on the sky lies along the major axis. A `Picture` is light seen on the sky and is called with
sky coordinates.

Imports: numerics. To add a light: a file with one node, its name in `__all__`, and a line in `PROFILES` of
`tests/test_lights.py`, which tests flux, half-light radius and gradients. A plain function wrapped in
`jax.tree_util.Partial` is a light too.
"""

from jaxmetal.light.clumpy import Clumpy
from jaxmetal.light.convert import sersic_from_lenstronomy, sersic_to_lenstronomy
from jaxmetal.light.exponential import Exponential
from jaxmetal.light.gaussian import Gaussian
from jaxmetal.light.moffat import Moffat
from jaxmetal.light.picture import Picture, clip_negative
from jaxmetal.light.sersic import Sersic, sersic_b
from jaxmetal.light.unweighted import Unweighted
from jaxmetal.numerics.sum import Sum

__all__ = [
    "Clumpy",
    "Exponential",
    "Gaussian",
    "Moffat",
    "Picture",
    "Sersic",
    "Sum",
    "Unweighted",
    "clip_negative",
    "sersic_b",
    "sersic_from_lenstronomy",
    "sersic_to_lenstronomy",
]
