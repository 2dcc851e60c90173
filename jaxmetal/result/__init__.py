"""What is read off a posterior: summary, gradients in all units, resolution, predictive maps, criteria.

May import: posterior, model and everything below it; arviz-stats. Files are written by io, pictures by plot. To add a
quantity: a function of a `Posterior` in a file of its own.
"""

from jaxmetal.posterior import Posterior
from jaxmetal.result.criteria import criteria, loo, residual
from jaxmetal.result.predictive import best_prediction, intrinsic_map, predictive, profile, radius_map
from jaxmetal.result.resolution import resolution
from jaxmetal.result.scale import gradients, slopes
from jaxmetal.result.summary import summary

__all__ = [
    "Posterior",
    "best_prediction",
    "criteria",
    "gradients",
    "intrinsic_map",
    "loo",
    "predictive",
    "profile",
    "radius_map",
    "residual",
    "resolution",
    "slopes",
    "summary",
]
