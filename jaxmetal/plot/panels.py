"""Maps of several quantities of one galaxy, each on a colour scale of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import compass, quiet_corners
from jaxmetal.plot.picture import colour_bar, draw
from jaxmetal.plot.style import SEQUENTIAL, new_figure, value_range

WIDTH, BAR = 2.6, 1.35
"""Widths of a map and of its colour bar with numbers and label, inches."""
HEIGHTS = (1.9, 4.2)
"""Least and largest height of a map: the label of its colour bar is as tall as the least, inches."""
ACROSS = 3
"""Panels in a row, at most."""


class Panel(NamedTuple):
    """A map and how to show it.

    Attributes:
        values: shape (ny, nx), NaN where there are none.
        quantity: what the map shows.
        colours: a colour map.
        limits: of the scale; the central 98 % of the values by default.
    """

    values: np.ndarray
    quantity: Quantity
    colours: str = SEQUENTIAL
    limits: tuple[float, float] | None = None


def map_panels(shown: Sequence[Panel], grid: Grid) -> Figure:
    """A panel per map, with the compass in the first.

    Args:
        shown: at least one.
        grid: pixels of all of them on the sky.
    """
    rows = -(-len(shown) // ACROSS)
    columns = -(-len(shown) // rows)
    ny, nx = grid.shape
    dx, dy = (float(step) for step in grid.steps)
    height = float(np.clip(WIDTH * ny * dy / (nx * dx), *HEIGHTS))
    figure = new_figure(columns * (WIDTH + BAR) + 0.6, rows * (height + 0.35) + 0.35)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for i, (ax, panel) in enumerate(zip(axes, shown, strict=False)):
        limits = value_range(panel.values) if panel.limits is None else panel.limits
        image = draw(ax, panel.values, grid, limits, panel.colours)
        colour_bar(ax, image, str(panel.quantity), extend="both" if panel.limits is None else "neither")
        bottom, left = i >= len(shown) - columns, i % columns == 0
        ax.tick_params(labelsize=8, labelbottom=bottom, labelleft=left)
        ax.xaxis.label.set_visible(bottom)
        ax.yaxis.label.set_visible(left)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    compass(axes[0], grid, quiet_corners(np.isfinite(shown[0].values))[0])
    return figure
