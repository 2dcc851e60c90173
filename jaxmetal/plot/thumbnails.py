"""A page of small pictures, one row of data, model and residual for each galaxy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.numerics.digits import in_words
from jaxmetal.plot.style import DIVERGING, SEQUENTIAL, SUSPECT, UNUSED, new_figure, symmetric_range, value_range

SIDE = 1.4
"""Width of a picture, inches."""

ACROSS = 3
"""Galaxies side by side, at most."""

LONGEST = 50
"""Characters of a name; of longer ones the middle is left out."""

TEXT = 9.0
"""Size of what is written, points."""

HEADING, TITLE, APART, GAP = 0.35, 0.42, 0.3, 0.06
"""Heights of the page's heading and of a galaxy's, and what parts galaxies and pictures, inches."""


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
    figure = new_figure(across * (3 * SIDE + APART), HEADING + rows * (tallest + TITLE))
    figure.set_layout_engine("none")  # all sizes are known; titles may reach over three pictures
    axes = np.array([[_placed(figure, row, column, tallest) for column in range(3 * across)] for row in range(rows)])
    for ax in axes.flat[3 * len(thumbnails) :]:
        ax.axis("off")
    for place, thumbnail in enumerate(thumbnails):
        first = 3 * (place % across)
        _draw(axes[place // across, first : first + 3], thumbnail, unit)
    red = "; red: suspect, see the table" if not all(thumbnail.good for thumbnail in thumbnails) else ""
    said = f"data, model (range of both), residual (its range){red}"
    figure.text(0.5, 1.0 - 0.5 * HEADING / figure.get_figheight(), said, fontsize=TEXT, ha="center", va="center")
    return figure


def _placed(figure: Figure, row: int, column: int, height: float) -> Axes:
    """Empty axes of a picture, in inches from the upper left."""
    width, whole = figure.get_size_inches()
    left = (0.5 + column // 3) * APART + column * SIDE
    bottom = whole - HEADING - row * (height + TITLE) - TITLE - height + GAP
    return figure.add_axes((left / width, bottom / whole, (SIDE - GAP) / width, (height - GAP) / whole))


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
    ranges = f"{' to '.join(in_words(limits, limits[1] - limits[0]))} {unit}, " + rf"$\pm${spread[1]:.1f}$\,\sigma$"
    colour = "black" if thumbnail.good else SUSPECT
    axes[0].set_title(f"{_short(thumbnail.name)}\n{ranges}", fontsize=TEXT, loc="left", color=colour, pad=3)


def _short(name: str) -> str:
    """A name that fits above its pictures, with its ends, which tell galaxies apart."""
    half = (LONGEST - 1) // 2
    return name if len(name) <= LONGEST else f"{name[:half]}…{name[-half:]}"
