"""Observations: what an instrument records of a scene, each with its pixels, PSF, bins and noise.

`contract.Observation` says what one is; `prepare`, predictions, checks, files and pictures dispatch to that, and ask
none which kind it is. May import: scene, mixing, render, prior, likelihood and what is below. To add a kind: a file
with one node that has what the contract names, its name here, a reader in `KINDS` of `io/config/observations.py`, and a
line in `KINDS` of `tests/test_observations.py`, which every kind passes. A kind for one instrument needs none of this:
a node in a file of one's own is as good, and TOML finds its reader by a package entry point.
"""

from jaxmetal.observation.channels import (
    Channel,
    absorbed,
    doubts_of,
    planes,
    property_units,
    ranges_of,
    ratios_of,
    shows_properties,
    starts_of,
    used_pixels,
    used_somewhere,
)
from jaxmetal.observation.contract import Numbers, Observation, Prediction, Quantity, is_observation
from jaxmetal.observation.exposure import blurred_light, imager, layers, padded, residual
from jaxmetal.observation.image import Image, Sky
from jaxmetal.observation.line_maps import LineMaps
from jaxmetal.observation.on_grid import grid_and_registration, grid_shape, registered_grid
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.positions import Positions
from jaxmetal.observation.settle import default_sampling, plan_pixels
from jaxmetal.observation.together import predict, predict_all, shared
from jaxmetal.observation.weighted_map import Response, WeightedMap, carriers

__all__ = [
    "Channel",
    "Image",
    "LineMaps",
    "Numbers",
    "Observation",
    "Plan",
    "Positions",
    "Prediction",
    "Quantity",
    "Response",
    "Sky",
    "WeightedMap",
    "absorbed",
    "blurred_light",
    "carriers",
    "default_sampling",
    "doubts_of",
    "grid_and_registration",
    "grid_shape",
    "imager",
    "is_observation",
    "layers",
    "padded",
    "plan_pixels",
    "planes",
    "predict",
    "predict_all",
    "property_units",
    "ranges_of",
    "ratios_of",
    "registered_grid",
    "residual",
    "shared",
    "shows_properties",
    "starts_of",
    "used_pixels",
    "used_somewhere",
]
