"""What a fit returns and what is read off it: draws, summary, gradients in all units, resolution, predictive maps, criteria.

May import: model and everything below it, fit.diagnose, numpy, arviz. Files are written by io, pictures by plot.
"""

from jaxmetal.result.criteria import criteria, loo, residual
from jaxmetal.result.posterior import Posterior
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
