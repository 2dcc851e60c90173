"""Maps of several quantities of one galaxy, each on a colour scale of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import compass, quiet_corners
from jaxmetal.plot.picture import colour_bar, draw
from jaxmetal.plot.style import SEQUENTIAL, Scale, new_figure, scale_of

WIDTH, BAR = 2.6, 1.35
"""Widths of a map and of its colour bar with numbers and label, inches."""
HEIGHTS = (1.9, 4.2)
"""Least and largest height of a map: the label of its colour bar is as tall as the least, inches."""
ALIKE = 0.05
"""Share of a scale of fixed limits below which a map is of about one colour."""
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
        scale = scale_of(panel.values) if panel.limits is None else _fixed(panel.values, *panel.limits)
        image = draw(ax, panel.values, grid, scale.norm, panel.colours)
        colour_bar(ax, image, str(panel.quantity), scale)
        ax.tick_params(labelsize=8, labelbottom=True, labelleft=True)
        ax.xaxis.label.set_visible(i >= len(shown) - columns)
        ax.yaxis.label.set_visible(i % columns == 0)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    compass(axes[0], grid, quiet_corners(np.isfinite(shown[0].values))[0])
    return figure


def _fixed(values: np.ndarray, low: float, high: float) -> Scale:
    """A scale of fixed limits, which says so where a map is of about one colour."""
    least, most = np.nanmin(values), np.nanmax(values)
    alike = most - least < ALIKE * (high - low)
    return Scale(Normalize(low, high), f":\n{least:.3g} to {most:.3g} everywhere" if alike else "", "neither")
