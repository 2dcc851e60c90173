"""A random field on the plane of its source: its mean and its error, hatched where the data tell little of it."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from jaxmetal.model import SCENE
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import HALO, compass
from jaxmetal.plot.of_posterior import property_quantity
from jaxmetal.plot.picture import colour_bar, draw
from jaxmetal.plot.style import SEQUENTIAL, UNUSED, new_figure, scale_of
from jaxmetal.posterior import Posterior
from jaxmetal.result.fluctuating import fluctuations
from jaxmetal.result.predicted import footprints
from jaxmetal.result.views import View, view

PIXELS = 60
"""Pixels along a side."""
LITTLE = 0.5
"""Share of the field's variance, taken away by the data, below which it is hatched."""


def field(
    posterior: Posterior | View, name: str, source: str, quantity: Quantity | None = None, count: int = 100
) -> Figure:
    """Mean and standard deviation of the property of an observation, on the source's plane, without blur.

    Args:
        posterior: of a fit, or a view of it.
        name: of the observation.
        source: name of the source.
        quantity: what the property is called.
        count: number of draws.

    Raises:
        InputError: as `result.fluctuations`.
    """
    seen = view(posterior, observation=name, source=source)
    observation, galaxy = seen.filled[name], seen.filled[SCENE].sources[source]
    prop = observation.properties[0]
    frame, shown = galaxy.frame_of(prop), quantity or property_quantity(observation)
    centre = (float(frame.x0), float(frame.y0))
    half_size = float(np.abs(footprints(seen, name, source) - np.array(centre)).max())
    grid = Grid.regular((PIXELS, PIXELS), 2.0 * half_size / PIXELS, centre)
    x, y = (np.asarray(one) for one in grid.centres())
    found = fluctuations(seen, source, prop, (x, y), count)
    figure = new_figure(10.5, 4.6)
    axes = figure.subplots(1, 2)
    known = found.told >= LITTLE
    words = {"mean": shown, "standard deviation": shown._replace(label=f"standard deviation of {shown.label}")}
    for ax, (title, said), values in zip(axes, words.items(), (found.mean, found.sd), strict=True):
        scale = scale_of(np.where(known, values, np.nan) if known.any() else values)
        colour_bar(ax, draw(ax, values, grid, scale.norm, SEQUENTIAL), str(said), scale)
        ax.contourf(x, y, found.told, levels=[-1.0, LITTLE], colors=UNUSED, alpha=0.7, hatches=["////"])
        ax.plot(*centre, "+", color="black", path_effects=HALO)
        ax.set_title(title, fontsize=10)
        compass(ax, grid, "upper right")
    hatched = Patch(facecolor=UNUSED, edgecolor="0.3", hatch="////", label="data tell less than half of the variance")
    axes[1].legend(handles=[hatched], loc="lower left", fontsize=8)
    return figure
