"""What a lens does: convergence, shear and magnification, critical curves, caustics and images of a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.lens.derive import Lens, distortion
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import HALO, compass
from jaxmetal.plot.panels import Panel, map_panels
from jaxmetal.plot.picture import SKY_AXES, pixel_axis
from jaxmetal.plot.style import DIVERGING, IMAGES, new_figure
from jaxmetal.result.critical import critical_curves
from jaxmetal.result.images import image_positions

CRITICAL, CAUSTIC = "critical curve", "caustic"
MOST = 1.5
"""log10 of the magnification at which the scale ends."""


def distortion_maps(lens: Lens, grid: Grid) -> Figure:
    """Convergence, shear and magnification on the sky, with the critical curves.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which a source lies.
        grid: pixels on the sky.
    """
    found = distortion(lens, *grid.centres())
    with np.errstate(divide="ignore"):
        log_mu = np.log10(np.abs(np.asarray(found.mu, float)))
    figure = map_panels(
        [
            Panel(np.asarray(found.kappa), Quantity(r"convergence $\kappa$", "")),
            Panel(np.asarray(found.gamma), Quantity(r"shear $|\gamma|$", "")),
            Panel(log_mu, Quantity(r"magnification $\log_{10}|\mu|$", ""), DIVERGING, (-MOST, MOST)),
        ],
        grid,
    )
    curves = critical_curves(lens, grid).critical
    for ax in [ax for ax in figure.axes if ax.images and ax.get_label() != "<colorbar>"][:3]:
        draw_curves(ax, curves, grid, CRITICAL)
    return figure


def lens_planes(lens: Lens, grid: Grid, point: tuple[float, float] | None = None) -> Figure:
    """Critical curves on the sky beside caustics on the source's plane; of a point there its images.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which a source lies.
        grid: whose frame is shown.
        point: on the source's plane, arcsec to the West and North.
    """
    figure = new_figure(8.6, 4.4)
    sky, plane = figure.subplots(1, 2)
    curves = critical_curves(lens, grid)
    _frame(sky, grid, curves.critical, CRITICAL, "black")
    _frame(plane, grid, curves.caustics, CAUSTIC, "crimson")
    if curves.caustics:
        _zoom(plane, np.concatenate(curves.caustics), point)
    sky.set_title("sky", fontsize=11)
    plane.set_title("source plane", fontsize=11)
    if point is not None:
        images = image_positions(lens, *point, grid)
        for k, (x, y, mu) in enumerate(zip(*images, strict=True)):
            colour = IMAGES[k % len(IMAGES)]
            sky.plot(x, y, "o", color=colour, path_effects=HALO, label=rf"image, $\mu$ = {mu:+.2g}")
        plane.plot(*point, "*", color="black", markersize=10, path_effects=HALO, label="source")
    for ax in (sky, plane):
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=7, loc="upper left", framealpha=0.8)
    compass(sky, Grid.regular((2, 2), 1.0), "lower right")
    return figure


def draw_curves(ax: Axes, curves: Sequence[np.ndarray], grid: Grid, label: str, colour: str = "black") -> None:
    """Lines on a map of `grid` that `picture.draw` has drawn, whatever its rotation."""
    limits = ax.get_xlim(), ax.get_ylim()
    ny, nx = grid.shape
    (left, right), (bottom, top) = pixel_axis(grid, 0)[0], pixel_axis(grid, 1)[0]
    for k, curve in enumerate(curves):
        column, row = (np.asarray(index) for index in grid.to_pixel(*curve.T))
        across = left + (column + 0.5) / nx * (right - left)
        along = bottom + (row + 0.5) / ny * (top - bottom)
        ax.plot(across, along, color=colour, linewidth=1.0, path_effects=HALO, label=label if k == 0 else None)
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])


def _frame(ax: Axes, grid: Grid, curves: Sequence[np.ndarray], label: str, colour: str) -> None:
    """The field on the sky, x to the right, with curves in it."""
    ny, nx = grid.shape
    corners = np.stack(
        grid.to_sky(np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5]))
    )
    for k, curve in enumerate(curves):
        ax.plot(*curve.T, color=colour, linewidth=1.2, label=label if k == 0 else None)
    ax.set_xlim(corners[0].min(), corners[0].max())
    ax.set_ylim(corners[1].min(), corners[1].max())
    ax.set_aspect("equal")
    ax.set_xlabel(SKY_AXES[0])
    ax.set_ylabel(SKY_AXES[1])


def _zoom(ax: Axes, points: np.ndarray, point: tuple[float, float] | None) -> None:
    """A square around the caustics, and the point."""
    shown = points if point is None else np.vstack([points, point])
    shown = shown[np.isfinite(shown).all(axis=1)]
    middle, half = 0.5 * (shown.max(axis=0) + shown.min(axis=0)), 0.6 * float(np.ptp(shown, axis=0).max())
    ax.set_xlim(middle[0] - half, middle[0] + half)
    ax.set_ylim(middle[1] - half, middle[1] + half)
