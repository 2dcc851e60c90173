"""A page of small pictures, one row of data, model and residual for each galaxy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from jaxmetal.plot.style import DIVERGING, SEQUENTIAL, SUSPECT, UNUSED, new_figure, symmetric_range, value_range

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
    """Draws the used pixels of galaxies in reading order; titles give each one's ranges. Suspect fits are red.

    Args:
        thumbnails: at least one.
        unit: of the maps.
    """
    thumbnails = [_cropped(thumbnail) for thumbnail in thumbnails]
    across = min(ACROSS, len(thumbnails))
    rows = -(-len(thumbnails) // across)
    tallest = SIDE * max(ny / nx for ny, nx in (thumbnail.data.shape for thumbnail in thumbnails))
    figure = new_figure(across * (3 * SIDE + 0.25), rows * (tallest + 0.42) + 0.35)
    axes = figure.subplots(rows, 3 * across, squeeze=False, gridspec_kw={"wspace": 0.02})
    for ax in axes.flat[3 * len(thumbnails) :]:
        ax.axis("off")
    for place, thumbnail in enumerate(thumbnails):
        first = 3 * (place % across)
        _draw(axes[place // across, first : first + 3], thumbnail, unit)
    red = "; red: suspect, see the table" if not all(thumbnail.good for thumbnail in thumbnails) else ""
    figure.suptitle(f"data, model (range of both), residual (its range){red}", fontsize=8)
    return figure


def _cropped(thumbnail: Thumbnail) -> Thumbnail:
    """The square about its used pixels, with a rim of one, as far as the map reaches."""
    used = np.isfinite(thumbnail.data)
    rows, columns = (np.flatnonzero(used.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return thumbnail
    side = 3 + max(np.ptp(rows), np.ptp(columns))
    first = [max((found[0] + found[-1] - side + 1) // 2, 0) for found in (rows, columns)]
    inside = tuple(slice(start, start + side) for start in first)
    return thumbnail._replace(
        data=thumbnail.data[inside], model=thumbnail.model[inside], residual=thumbnail.residual[inside]
    )


def _draw(axes: np.ndarray, thumbnail: Thumbnail, unit: str) -> None:
    limits, spread = value_range(thumbnail.data, thumbnail.model), symmetric_range(thumbnail.residual)
    pictures = (
        (thumbnail.data, limits, SEQUENTIAL),
        (thumbnail.model, limits, SEQUENTIAL),
        (thumbnail.residual, spread, DIVERGING),
    )
    for ax, (values, (low, high), colours) in zip(axes, pictures, strict=True):
        ax.set(facecolor=UNUSED, xticks=[], yticks=[])
        ax.spines[:].set_linewidth(0.4)
        ax.imshow(np.ma.masked_invalid(values), origin="lower", cmap=colours, vmin=low, vmax=high)
    ranges = f"{limits[0]:.2f} to {limits[1]:.2f} {unit}, " + rf"$\pm${spread[1]:.1f}$\,\sigma$"
    colour = "black" if thumbnail.good else SUSPECT
    axes[0].set_title(f"{thumbnail.name}\n{ranges}", fontsize=6, loc="left", color=colour, pad=2)
