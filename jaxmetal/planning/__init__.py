"""Planning: which errors of a gradient an observation will have, before it is made.

May import: fit, simulate and everything below them. Pictures are made by plot. To add a plan: a function from settings
to errors, checked against the scatter of actual fits in `tests/test_planning.py`.
"""

from jaxmetal.planning.curvature import Fisher, fisher
from jaxmetal.planning.forecasts import Scatter, Setting, fisher_error, forecast, observed, simulated_error
from jaxmetal.planning.trials import Maxima, maxima

__all__ = [
    "Fisher",
    "Maxima",
    "Scatter",
    "Setting",
    "fisher",
    "fisher_error",
    "forecast",
    "maxima",
    "observed",
    "simulated_error",
]
