"""The property as it is in the galaxy: unlensed, unblurred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle
from matplotlib.path import Path

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.lensing import CAUSTIC, draw_curves
from jaxmetal.plot.marks import HALO, compass
from jaxmetal.plot.picture import colour_bar, draw
from jaxmetal.plot.style import SEQUENTIAL, UNUSED, new_figure, scale_of
from jaxmetal.result.on_source import on_source
from jaxmetal.scene import Source

PIXELS = 240
"""Pixels along a side."""


def source_plane(
    source: Source,
    name: str,
    quantity: Quantity,
    *,
    half_size: float,
    r_eff: float | None = None,
    kpc_per_arcsec: float | None = None,
    reached: np.ndarray | None = None,
    caustics: Sequence[np.ndarray] = (),
) -> Figure:
    """Draws a carried property on the plane of the source, around the centre of the frame in which it is told.

    Args:
        source: with every leaf a number.
        name: of the carried property.
        quantity: what it is.
        half_size: of the picture, arcsec.
        r_eff: half-light radius along the major axis, arcsec; None draws no ellipse.
        kpc_per_arcsec: scale at the source; adds axes in kpc.
        reached: corners of the pixels that saw it, (n, 4, 2), arcsec on that plane: what lies outside them is hatched,
            and colours span what is inside. All is shown by default.
        caustics: of the lens, arrays (n, 2) of x and y in arcsec.
    """
    figure = new_figure(6.0, 4.8)
    ax = figure.subplots()
    frame = source.frame_of(name)
    centre = (float(frame.x0), float(frame.y0))
    grid = Grid.regular((PIXELS, PIXELS), 2.0 * half_size / PIXELS, centre)
    shown = on_source(source, grid.centres())
    values = shown.carried[name]
    inside = values if reached is None else on_source(source, reached.mean(axis=1).T).carried[name]
    scale = scale_of(inside)
    image = draw(ax, values, grid, scale.norm, SEQUENTIAL)
    if reached is not None:
        _hatch_beyond(ax, image, reached)
    if r_eff is not None:
        _half_light_ellipse(ax, grid, shown.radius, r_eff)
    draw_curves(ax, caustics, grid, CAUSTIC, "crimson")
    if caustics and _in_sight(caustics, grid):
        _name_curves(ax)
    ax.plot(*centre, "+", color="black", path_effects=HALO)
    compass(ax, grid, "upper right")
    if kpc_per_arcsec is None:
        colour_bar(ax, image, str(quantity), scale)
        return figure
    _kpc_axes(ax, centre, kpc_per_arcsec)
    figure.colorbar(image, ax=ax, label=f"{quantity}{scale.text}", pad=0.03, **scale.bar())
    return figure


def _hatch_beyond(ax: Axes, image: AxesImage, reached: np.ndarray) -> None:
    """Cuts a picture to the union of quadrangles, (n, 4, 2), and hatches what lies outside."""
    # Triangles, as a lens may fold a pixel; all turning one way, or those of opposite parity would cancel.
    corners = np.concatenate([reached[:, [0, 1, 2]], reached[:, [0, 2, 3]]])
    (x, y), (x_next, y_next) = np.moveaxis(corners, -1, 0), np.moveaxis(np.roll(corners, -1, axis=1), -1, 0)
    mirrored = np.sum(x * y_next - x_next * y, axis=1) < 0.0
    turned = np.where(mirrored[:, None, None], corners[:, ::-1], corners)
    closed = np.concatenate([turned, turned[:, :1]], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    image.set_clip_path(Path(closed.reshape(-1, 2), len(closed) * codes), ax.transData)
    beyond: dict[str, Any] = {"facecolor": UNUSED, "edgecolor": "0.55", "hatch": "////", "linewidth": 0.0}
    ax.add_patch(Rectangle((0.0, 0.0), 1.0, 1.0, transform=ax.transAxes, zorder=-1, **beyond))
    ax.legend(handles=[Patch(label="no data reach", **beyond)], loc="lower left", fontsize=8)


def _name_curves(ax: Axes) -> None:
    """A legend of the curves beside the one that is there."""
    earlier = ax.get_legend()
    if earlier is not None:
        ax.add_artist(earlier)
    ax.legend(fontsize=7, loc="upper left", framealpha=0.8)


def _in_sight(curves: Sequence[np.ndarray], grid: Grid) -> bool:
    """Whether a point of a curve lies on the picture."""
    column, row = grid.to_pixel(*np.concatenate(list(curves)).T)
    return bool(np.any((np.abs(column - 0.5 * PIXELS) < 0.5 * PIXELS) & (np.abs(row - 0.5 * PIXELS) < 0.5 * PIXELS)))


def _half_light_ellipse(ax: Axes, grid: Grid, radius: np.ndarray, r_eff: float) -> None:
    """The contour R(x, y) = r_eff, for a frame of any kind."""
    lines = ax.contour(*grid.centres(), radius, levels=[r_eff], colors="black", linewidths=1.2)
    lines.set_path_effects(HALO)
    for text in ax.clabel(lines, fmt={r_eff: "R$_e$"}, fontsize=9):
        text.set_path_effects(HALO)


def _kpc_axes(ax: Axes, centre: tuple[float, float], kpc_per_arcsec: float) -> None:
    """Offsets from the centre in kpc, at the top and at the right."""
    across, along = (_offset(middle, kpc_per_arcsec) for middle in centre)
    ax.secondary_xaxis("top", functions=across).set_xlabel("x offset [kpc, West]")
    ax.secondary_yaxis("right", functions=along).set_ylabel("y offset [kpc, North]")


def _offset(middle: float, scale: float) -> tuple[Callable, Callable]:
    """A position to its scaled offset from `middle`, and back."""
    return lambda position: (position - middle) * scale, lambda offset: offset / scale + middle
