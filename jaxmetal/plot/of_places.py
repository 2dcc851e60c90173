"""What lies on no map: places on the sky and on the source's plane, with the lens's curves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.lens import Plane
from jaxmetal.model import SCENE
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.lensing import CAUSTIC, CRITICAL
from jaxmetal.plot.marks import HALO, compass
from jaxmetal.plot.picture import SKY_AXES
from jaxmetal.plot.style import IMAGES, SUSPECT, new_figure
from jaxmetal.posterior import Posterior
from jaxmetal.result.critical import critical_curves
from jaxmetal.result.places import table as tabulated
from jaxmetal.result.views import View, view

AROUND = 1.25
"""Side of the field over that of the square around all images."""
MOST = 3
"""Source planes whose curves are drawn: the nearest, the farthest and the middle one."""
LINES = ("solid", "dashed", "dotted")


def places(posterior: Posterior | View, name: str) -> Figure:
    """Images as observed and as of the best model on the critical curves, beside their sources and the caustics.

    Args:
        posterior: of a fit, or a view of it.
        name: of an observation that lies on no map.
    """
    seen = view(posterior)
    scene = seen.filled[SCENE]
    table = {key: column.values for key, column in tabulated(seen, name).items()}
    figure = new_figure(9.4, 4.8)
    sky, plane = figure.subplots(1, 2)
    grid = _field(table)
    ratios = np.unique(table["distance_ratio"].round(6))
    for ratio, line in zip(
        ratios[np.linspace(0, len(ratios) - 1, min(MOST, len(ratios))).astype(int)], LINES, strict=False
    ):
        curves = critical_curves(Plane(parts=scene.lens, distance_ratio=ratio), grid, samples=200, refine=False)
        of = f", deflections times {ratio:.3g}" if len(ratios) > 1 else ""
        _draw(sky, curves.critical, "black", line, CRITICAL + of)
        _draw(plane, curves.caustics, "crimson", line, CAUSTIC + of)
    _images(sky, table, not seen.goodness[name].fits)
    _sources(plane, table)
    half = 0.5 * grid.shape[0] * float(grid.steps[0])
    middle = [float(axis[0]) for axis in grid.to_sky(*np.full((2, 1), 0.5 * (grid.shape[0] - 1)))]
    sky.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), title="sky")
    plane.set(title="source plane")
    for ax in (sky, plane):
        ax.set(aspect="equal", xlabel=SKY_AXES[0], ylabel=SKY_AXES[1])
        ax.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    compass(sky, Grid.regular((2, 2), 1.0), "lower right")
    return figure


def _field(table: dict[str, np.ndarray]) -> Grid:
    """A square around all images."""
    x, y = (np.concatenate([table[axis], table[f"{axis}_model"]]) for axis in "xy")
    side = AROUND * max(float(np.ptp(x)), float(np.ptp(y)))
    cells = 100
    middle = np.array([0.5 * (x.max() + x.min()), 0.5 * (y.max() + y.min())])
    grid = Grid.regular((cells, cells), side / cells)
    return Grid(shape=grid.shape, origin=grid.origin + middle, matrix=grid.matrix)


def _draw(ax: Axes, curves: list[np.ndarray], colour: str, line: str, label: str) -> None:
    for k, curve in enumerate(curves):
        ax.plot(*curve.T, color=colour, linewidth=1.0, linestyle=line, label=label if k == 0 else None)


def _images(ax: Axes, table: dict[str, np.ndarray], poor: bool) -> None:
    """Observed images with their errors, those of the model, and whose they are."""
    families = list(dict.fromkeys(table["family"].tolist()))
    for k, name in enumerate(families):
        here, colour = table["family"] == name, IMAGES[k % len(IMAGES)]
        x, y, dx, dy, to_x, to_y = (table[key][here] for key in ("x", "y", "sigma_x", "sigma_y", "x_model", "y_model"))
        first = k == 0
        ax.errorbar(x, y, dy, dx, "o", color=colour, markersize=3, capsize=2, label="observed" if first else None)
        ax.plot(to_x, to_y, "s", mfc="none", mec=colour, markersize=8, label="best model" if first else None)
        for at in zip(x, y, strict=True):
            ax.annotate(name, at, (6, 6), textcoords="offset points", fontsize=7, path_effects=HALO)
    if poor:
        words = "the model does not describe these positions"
        ax.text(0.02, 0.97, words, color=SUSPECT, fontsize=8, va="top", transform=ax.transAxes)


def _sources(ax: Axes, table: dict[str, np.ndarray]) -> None:
    for k, name in enumerate(dict.fromkeys(table["family"].tolist())):
        first = int(np.flatnonzero(table["family"] == name)[0])
        at = float(table["source_x"][first]), float(table["source_y"][first])
        label = "source" if k == 0 else None
        ax.plot(*at, "*", color=IMAGES[k % len(IMAGES)], markersize=10, path_effects=HALO, label=label)
        ax.annotate(name, at, (6, 6), textcoords="offset points", fontsize=7, path_effects=HALO)
