"""Data, model and residual, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, FigureBase

from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.lensing import CRITICAL, draw_curves
from jaxmetal.plot.marks import compass, psf_circle, quiet_corners
from jaxmetal.plot.picture import colour_bar, draw, paint
from jaxmetal.plot.style import DIVERGING, SEQUENTIAL, SUSPECT, Scale, new_figure, scale_of, symmetric_range

PANEL = 3.0
"""Width of a panel, inches."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapFit:
    """A map and what a model says of it.

    Attributes:
        data: shape (ny, nx), or (n bins,) with `bins`.
        model: prediction, of the data's shape.
        residual: (data - model) / sigma, of the data's shape.
        grid: pixels on the sky.
        quantity: what the map shows.
        used: True for values that count, of the data's shape; all by default.
        bins: `Bins`, or None for pixels.
        fwhm: of the PSF, arcsec; None draws none.
        critical: critical curves of the lens, arrays (n, 2) of x and y in arcsec.
        fits: whether the model describes the map; where it does not, the residual says so in red.
        linear_below: of an image of light, the flux above which its colours are logarithmic; None for a linear scale.
        called: what the model is, above its panel.
    """

    data: Any
    model: Any
    residual: Any
    grid: Grid
    quantity: Quantity
    used: Any = None
    bins: Any = None
    fwhm: float | None = None
    critical: Sequence[np.ndarray] = ()
    fits: bool = True
    linear_below: float | None = None
    called: str = "model"

    def painted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Data, model and (data - model) / sigma as maps of shape (ny, nx), NaN where data are unused."""
        data = np.asarray(self.data, float)
        used = np.isfinite(data) if self.used is None else np.asarray(self.used) & np.isfinite(data)
        data, model, residual = (paint(values, used, self.bins) for values in (data, self.model, self.residual))
        return data, model, residual


def map_size(grid: Grid) -> tuple[float, float]:
    """Width and height in inches of the three panels of a map."""
    ny, nx = grid.shape
    dx, dy = (float(step) for step in grid.steps)
    return 3 * PANEL + 1.9, PANEL * float(np.clip(ny * dy / (nx * dx), 0.35, 1.6)) + 0.75


def maps(fit: MapFit, figure: FigureBase | None = None) -> FigureBase:
    """Draws data and model on one colour scale, and the residual in units of sigma.

    Pictures show the pixel array (columns to the right, rows up); the compass says where North and East are. A linear
    scale holds the central 98 % of the used data and model, that of an image of light all of them (see `scale_of`).

    Args:
        fit: what to draw.
        figure: an empty figure or sub-figure to draw in; a new one by default.
    """
    figure = new_figure(*map_size(fit.grid)) if figure is None else figure
    data, model, residual = fit.painted()
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    scale = scale_of(data, model, linear_below=fit.linear_below)
    draw(axes[0], data, fit.grid, scale.norm, SEQUENTIAL)
    image = draw(axes[1], model, fit.grid, scale.norm, SEQUENTIAL)
    colour_bar(axes[1], image, str(fit.quantity), scale)
    about_zero = Scale(Normalize(*symmetric_range(residual)))
    image = draw(axes[2], residual, fit.grid, about_zero.norm, DIVERGING)
    colour_bar(axes[2], image, r"data $-$ model [$\sigma$]", about_zero)
    for ax, title in zip(axes, ("data", fit.called, "residual"), strict=True):
        ax.set_title(title, fontsize=11)
        ax.label_outer()
        draw_curves(ax, fit.critical, fit.grid, CRITICAL)
    if fit.critical:
        axes[1].legend(fontsize=7, loc=quiet_corners(np.isfinite(data))[0], framealpha=0.8)
    if not fit.fits:
        axes[2].set_title("residual: a poor fit", fontsize=11, color=SUSPECT)
        axes[2].spines[:].set(color=SUSPECT, linewidth=2.0)
    corners = quiet_corners(np.isfinite(data))
    compass(axes[0], fit.grid, corners[0])
    if fit.fwhm is not None:
        psf_circle(axes[0], fit.fwhm, corners[1])
    return figure


def stacked(fits: Sequence[MapFit]) -> Figure:
    """Several maps of the same pixels below one another, each as `maps` draws it."""
    width, height = map_size(fits[0].grid)
    figure = new_figure(width, len(fits) * height)
    parts: Any = figure.subfigures(len(fits), 1, squeeze=False)
    for one, part in zip(fits, parts[:, 0], strict=True):
        maps(one, part)
    return figure
