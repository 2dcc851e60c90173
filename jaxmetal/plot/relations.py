"""A relation of a population, with its band."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.style import DATA, INTRINSIC, NAIVE, new_figure
from jaxmetal.population.columns import words
from jaxmetal.population.relation import Relation

STEPS = 80


def relation(found: Relation, covariate: str | None = None) -> Figure:
    """Points with errors on the median line, its 68 % band and the intrinsic scatter about it; a panel per covariate.

    With several covariates each panel holds the others at their pivots, and the points are moved along the median
    slopes to there.

    Args:
        found: of `jaxmetal.population`.
        covariate: the only panel; all by default.
    """
    names = list(found.covariates) if covariate is None else [covariate]
    figure = new_figure(2.8 + 4.2 * len(names), 4.0)
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=True):
        _panel(ax, found, name)
    axes[0].set_ylabel(str(Quantity(found.quantity.label, found.quantity.unit)))
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    return figure


def _panel(ax: Axes, found: Relation, name: str) -> None:
    covariate, flat = found.covariates[name], found.flat()
    x, (y, y_error) = covariate.values, found.quantity.points()
    for other, held in found.covariates.items():
        if other != name:
            y = y - np.median(flat[f"slope.{other}"]) * (held.values - held.pivot)
    limit = np.zeros(x.shape, int) if covariate.limit is None else covariate.limit
    x_error = None if covariate.sigma is None else covariate.sigma
    kinds = (0, "o", f"galaxies:\n{found.quantity.bars}"), (1, "<", "upper limits in x"), (-1, ">", "lower limits in x")
    for side, marker, label in kinds:
        shown = limit == side
        if shown.any():
            across = None if x_error is None or side else x_error[shown]
            _points(ax, x[shown], y[shown], across, y_error[..., shown], marker, label)
    reach = np.ptp(x)
    grid = np.linspace(x.min() - 0.05 * reach, x.max() + 0.05 * reach, STEPS)
    low, middle, high = np.quantile(found.line(name, grid), [0.16, 0.5, 0.84], axis=0)
    scatter = float(np.median(flat["scatter"]))
    sides = np.stack([middle - scatter, middle + scatter], axis=1)
    ax.plot(grid, sides, color=NAIVE, lw=1.0, ls="--", zorder=3, label=["relation ± intrinsic scatter", "_other side"])
    ax.fill_between(grid, low, high, color=INTRINSIC, alpha=0.4, lw=0, zorder=2, label="relation, 68 % interval")
    ax.plot(grid, middle, color=INTRINSIC, lw=2.0, zorder=3, label="relation, median")
    ax.axvline(covariate.pivot, color="black", lw=0.8, ls=":", zorder=0, label="pivot")
    ax.set_xlabel(str(Quantity(covariate.label or words(name), covariate.unit)))
    ax.set_xlim(grid[0], grid[-1])


def _points(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    x_error: np.ndarray | None,
    y_error: np.ndarray,
    marker: str,
    label: str,
) -> None:
    alpha = float(np.clip(40.0 / x.size, 0.15, 0.8))
    ax.errorbar(x, y, y_error, x_error, fmt="none", ecolor=DATA, elinewidth=0.7, alpha=alpha, zorder=4)
    ax.plot(x, y, marker, color=DATA, ms=4.5, mec="white", mew=0.3, zorder=5, label=label)
