"""Pictures: what goes in are arrays, grids and scenes, what comes out are matplotlib figures.

The functions here know arrays, grids and scenes; `of_posterior` draws what a fit returned by calling them,
`of_lines` what line fluxes say.

Imports: everything but io and cli, and matplotlib, which no other package of jaxmetal imports. Figures are objects
(`matplotlib.figure.Figure`, saved with `.savefig`); pyplot and its global state are not used. To add a picture: one
file with a function that returns a `Figure`, every axis labelled with its unit, re-exported here, and a test in
tests/test_plot.py.
"""

from jaxmetal.plot import of_lines, of_posterior
from jaxmetal.plot.comparison import MapFit, maps
from jaxmetal.plot.curves import FittedSpectra, calibration_curves
from jaxmetal.plot.forecasts import forecast
from jaxmetal.plot.intrinsic import source_plane
from jaxmetal.plot.labels import Quantity, parameter_labels
from jaxmetal.plot.marginals import corner
from jaxmetal.plot.overview import fit_figure
from jaxmetal.plot.panels import Panel, map_panels
from jaxmetal.plot.prior_maps import prior_predictive
from jaxmetal.plot.profile import Band, Points, Profile, radial_profile
from jaxmetal.plot.relations import relation

__all__ = [
    "Band",
    "FittedSpectra",
    "MapFit",
    "Panel",
    "Points",
    "Profile",
    "Quantity",
    "calibration_curves",
    "corner",
    "fit_figure",
    "forecast",
    "map_panels",
    "maps",
    "of_lines",
    "of_posterior",
    "parameter_labels",
    "prior_predictive",
    "radial_profile",
    "relation",
    "source_plane",
]
