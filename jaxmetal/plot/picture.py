"""One map drawn pixel by pixel, in arcsec."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon
from matplotlib.transforms import Affine2D

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.style import UNUSED, Scale

SKY_AXES = ("x [arcsec, West]", "y [arcsec, North]")


def paint(values: Any, used: Any = None, bins: Any = None) -> np.ndarray:
    """A map of shape (ny, nx), NaN where a value is unused or missing.

    Args:
        values: shape (ny, nx), or (n bins,) with `bins`.
        used: booleans of the same shape; all by default.
        bins: `Bins`, or None for pixels.
    """
    values = np.asarray(values, float)
    values = np.where(np.isfinite(values) & (True if used is None else np.asarray(used)), values, np.nan)
    return values if bins is None else np.asarray(bins.paint(values))


def pixel_axis(grid: Grid, axis: int) -> tuple[tuple[float, float], str]:
    """Where the first and the last pixel of an axis end, and the axis' label.

    Along a grid that is not rotated these are sky coordinates, increasing or decreasing; along a rotated one they count
    from the middle of the array.

    Args:
        grid: the pixels.
        axis: 0 for columns, 1 for rows.
    """
    matrix, origin = np.asarray(grid.matrix, float), np.asarray(grid.origin, float)
    n, step = grid.shape[1 - axis], matrix[:, axis]
    size = float(np.hypot(*step))
    for sky, label in enumerate(SKY_AXES):
        if abs(step[1 - sky]) < 1e-6 * size:
            return (float(origin[sky] - 0.5 * step[sky]), float(origin[sky] + (n - 0.5) * step[sky])), label
    return (-0.5 * n * size, 0.5 * n * size), f"{('column', 'row')[axis]} offset [arcsec]"


def draw(ax: Axes, values: np.ndarray, grid: Grid, norm: Normalize, cmap: str) -> AxesImage:
    """Draws a map of shape (ny, nx) with columns to the right and rows up; NaN is grey."""
    (left, right), across = pixel_axis(grid, 0)
    (bottom, top), along = pixel_axis(grid, 1)
    ax.set_facecolor(UNUSED)
    ax.set_xlabel(across)
    ax.set_ylabel(along)
    return ax.imshow(
        np.ma.masked_invalid(values),
        extent=(left, right, bottom, top),
        origin="lower",
        interpolation="nearest",
        aspect="equal",
        cmap=cmap,
        norm=norm,
    )


def draw_on_sky(ax: Axes, values: np.ndarray, grid: Grid, norm: Normalize, cmap: str) -> AxesImage:
    """Draws a map with x (West) to the right and y (North) up, turned as its pixels lie; NaN is left out."""
    ny, nx = grid.shape
    matrix, origin = np.asarray(grid.matrix, float), np.asarray(grid.origin, float)
    corners = origin[:, None] + matrix @ np.array([[-0.5, nx - 0.5, nx - 0.5, -0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5]])
    image = ax.imshow(
        np.ma.masked_invalid(values), origin="lower", interpolation="nearest", aspect="equal", cmap=cmap, norm=norm
    )
    onto = np.eye(3)
    onto[:2, :2], onto[:2, 2] = matrix, origin
    image.set_transform(Affine2D(onto) + ax.transData)
    ax.add_patch(Polygon(corners.T, closed=True, facecolor=UNUSED, edgecolor="none", zorder=image.get_zorder() - 1))
    ax.set_xlim(corners[0].min(), corners[0].max())
    ax.set_ylim(corners[1].min(), corners[1].max())
    ax.set_xlabel(SKY_AXES[0])
    ax.set_ylabel(SKY_AXES[1])
    return image


def colour_bar(ax: Axes, image: AxesImage, label: str, scale: Scale) -> None:
    """A colour bar as tall as the picture, at its right, of the image's scale."""
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0.0, 0.05, 1.0)), **scale.bar())
    bar.set_label(f"{label}{scale.text}", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    if scale.ticks is None:
        bar.ax.ticklabel_format(axis="y", useOffset=False)
