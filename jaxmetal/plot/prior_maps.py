"""Maps that a prior thinks possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import compass, quiet_corners
from jaxmetal.plot.picture import draw, paint, pixel_axis
from jaxmetal.plot.style import SEQUENTIAL, new_figure, scale_of

PANEL = 1.9
"""Width of a panel, inches."""


def prior_predictive(
    draws: Sequence[Any],
    grid: Grid,
    quantity: Quantity,
    *,
    used: Any = None,
    bins: Any = None,
    columns: int = 4,
    linear_below: float | None = None,
) -> Figure:
    """A panel per map, all on one colour scale.

    Args:
        draws: maps of shape (ny, nx), or vectors of shape (n bins,) with `bins`.
        grid: pixels on the sky.
        quantity: what the maps show.
        used: True for values that count; all by default.
        bins: `Bins`, or None for pixels.
        columns: panels in a row.
        linear_below: of images of light, the flux above which colours are logarithmic; None for a linear scale.
    """
    painted = [paint(values, used, bins) for values in draws]
    columns = min(columns, len(painted))
    rows = -(-len(painted) // columns)
    ny, nx = grid.shape
    height = PANEL * float(np.clip(ny * grid.steps[1] / (nx * grid.steps[0]), 0.35, 1.6))
    figure = new_figure(columns * PANEL + 1.3, rows * height + 0.7)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    scale = scale_of(*painted, linear_below=linear_below)
    for i, (ax, values) in enumerate(zip(axes, painted, strict=False)):
        image = draw(ax, values, grid, scale.norm, SEQUENTIAL)
        ax.set(xlabel="", ylabel="")
        ax.set_title(f"draw {i + 1}", fontsize=7, pad=2.0)
        ax.tick_params(labelsize=7, labelleft=i % columns == 0, labelbottom=i >= len(painted) - columns)
    for ax in axes[len(painted) :]:
        ax.set_axis_off()
    compass(axes[0], grid, quiet_corners(np.isfinite(painted[0]))[0])
    _label_outside(figure, grid)
    figure.suptitle("Drawn from the prior, without noise", fontsize=9)
    figure.colorbar(image, ax=list(axes), label=f"{quantity}{scale.text}", aspect=30, pad=0.02, **scale.bar())
    return figure


def _label_outside(figure: Figure, grid: Grid) -> None:
    """One pair of axis labels for all panels."""
    figure.supxlabel(pixel_axis(grid, 0)[1], fontsize=9)
    figure.supylabel(pixel_axis(grid, 1)[1], fontsize=9)
