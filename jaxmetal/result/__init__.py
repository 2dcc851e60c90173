"""What is read off a posterior: summary, gradients in all units, resolution, predictive maps, criteria.

All of it goes through one `View` of the fit, which keeps what has been computed. May import: posterior, model and
everything below it; arviz-stats. Files are written by io, pictures by plot. To add a quantity: a function of a
`Posterior` or a `View` in a file of its own, that starts with `view(posterior)`; costly ones are kept with `View.once`.
`critical_curves` and `image_positions` are of any lens, which need not be of a fit.
"""

from jaxmetal.posterior import Posterior
from jaxmetal.result.compared import Comparison, compare
from jaxmetal.result.comparison import criteria, loo, residual
from jaxmetal.result.critical import Curves, critical_curves
from jaxmetal.result.due_to_lens import LensShare, lens_share
from jaxmetal.result.fluctuating import Fluctuations, fluctuations
from jaxmetal.result.images import Images, image_positions
from jaxmetal.result.pairs import TwoPoint, two_point
from jaxmetal.result.pooled import Pooled, pool
from jaxmetal.result.predicted import (
    best_prediction,
    intrinsic_map,
    predictive,
    predictive_residual,
    profile,
    radius_map,
)
from jaxmetal.result.resolved import resolution
from jaxmetal.result.scale import gradients, slopes
from jaxmetal.result.shapes import listed
from jaxmetal.result.text import summary
from jaxmetal.result.views import View, view

__all__ = [
    "Comparison",
    "Curves",
    "Fluctuations",
    "Images",
    "LensShare",
    "Pooled",
    "Posterior",
    "TwoPoint",
    "View",
    "best_prediction",
    "compare",
    "criteria",
    "critical_curves",
    "fluctuations",
    "gradients",
    "image_positions",
    "intrinsic_map",
    "lens_share",
    "listed",
    "loo",
    "pool",
    "predictive",
    "predictive_residual",
    "profile",
    "radius_map",
    "residual",
    "resolution",
    "slopes",
    "summary",
    "two_point",
    "view",
]
