"""A page of small pictures, one row of data, model and residual for each galaxy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from jaxmetal.plot.style import DIVERGING, SEQUENTIAL, UNUSED, new_figure, symmetric_range, value_range

SIDE = 0.85
"""Width of a picture, inches."""

ACROSS = 4
"""Galaxies side by side, at most."""


class Thumbnail(NamedTuple):
    """What is drawn of a galaxy.

    Attributes:
        name: of the galaxy.
        data: map, NaN where unused.
        model: at the best fit, likewise.
        residual: (data - model) / sigma, likewise.
        good: whether its fit gave no cause for warnings.
    """

    name: str
    data: np.ndarray
    model: np.ndarray
    residual: np.ndarray
    good: bool


def page(thumbnails: Sequence[Thumbnail], unit: str) -> Figure:
    """Draws galaxies in reading order; each has its own colour scale, given in its title. Suspect fits are red.

    Args:
        thumbnails: at least one.
        unit: of the maps.
    """
    across = min(ACROSS, len(thumbnails))
    rows = -(-len(thumbnails) // across)
    tallest = SIDE * max(ny / nx for ny, nx in (thumbnail.data.shape for thumbnail in thumbnails))
    figure = new_figure(across * (3 * SIDE + 0.25), rows * (tallest + 0.32) + 0.35)
    axes = figure.subplots(rows, 3 * across, squeeze=False, gridspec_kw={"wspace": 0.02})
    for ax in axes.flat:
        ax.axis("off")
    for place, thumbnail in enumerate(thumbnails):
        first = 3 * (place % across)
        _draw(axes[place // across, first : first + 3], thumbnail, unit)
    figure.suptitle(r"data, model, residual [$\pm$ the largest, at least 3 $\sigma$]", fontsize=8)
    return figure


def _draw(axes: np.ndarray, thumbnail: Thumbnail, unit: str) -> None:
    limits, spread = value_range(thumbnail.data, thumbnail.model), symmetric_range(thumbnail.residual)
    pictures = (
        (thumbnail.data, limits, SEQUENTIAL),
        (thumbnail.model, limits, SEQUENTIAL),
        (thumbnail.residual, spread, DIVERGING),
    )
    for ax, (values, (low, high), colours) in zip(axes, pictures, strict=True):
        ax.set_facecolor(UNUSED)
        ax.imshow(np.ma.masked_invalid(values), origin="lower", cmap=colours, vmin=low, vmax=high)
    title = f"{thumbnail.name}  {limits[0]:.2f} to {limits[1]:.2f} {unit}"
    axes[0].set_title(title, fontsize=5, loc="left", color="black" if thumbnail.good else "crimson", pad=2)
