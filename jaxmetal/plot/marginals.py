"""One- and two-dimensional marginals of a posterior."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.numerics.digits import digits
from jaxmetal.plot.labels import wrapped
from jaxmetal.plot.style import INTRINSIC, NAIVE, new_figure

MASSES = (0.95, 0.68)
"""Shares of the draws inside the contours."""

BINS = 30

LEFT, RIGHT, BOTTOM, TOP = 0.85, 0.2, 0.85, 0.35
"""Margins for numbers, labels and titles, inches."""


def corner(
    draws: Mapping[str, np.ndarray], truths: Mapping[str, float] | None = None, labels: Mapping[str, str] | None = None
) -> Figure:
    """Histograms on the diagonal, contours that hold 68 and 95 % of the draws below it.

    Titles give the median and the distances to the 16th and 84th percentiles, which are dashed.

    Args:
        draws: name -> draws, each of shape (n,).
        truths: name -> value to mark.
        labels: name -> label with its unit; the name by default (`parameter_labels` makes short ones).

    Raises:
        InputError: when draws are not 1-D, of different lengths, fewer than 10, or not finite, or a truth is of none.
    """
    columns = {name: np.asarray(values, float) for name, values in draws.items()}
    _require_columns(columns)
    labels, truths = labels or {}, truths or {}
    require_known("truths", truths, columns)
    names, n = list(columns), len(columns)
    ranges = {name: _range(values, truths.get(name)) for name, values in columns.items()}
    size = float(np.clip(1.75 * n, 3.2, 14.0))
    figure = new_figure(size, size)
    figure.set_layout_engine("none")  # only the outer panels have numbers and labels: no need to measure all of them
    edges = {"left": LEFT / size, "right": 1 - RIGHT / size, "bottom": BOTTOM / size, "top": 1 - TOP / size}
    grid, panels = figure.add_gridspec(n, n, **edges, wspace=0.08, hspace=0.08), {}
    for row, down in enumerate(names):
        for column, across in enumerate(names[: row + 1]):
            ax = panels[row, column] = figure.add_subplot(grid[row, column])
            if column == row:
                _histogram(ax, columns[down], ranges[down], truths.get(down))
            else:
                _contours(ax, columns[across], columns[down], ranges[across], ranges[down])
                _mark(ax, truths.get(across), truths.get(down))
            _ticks(ax, labels.get(across, across), labels.get(down, down), row == n - 1, 0 == column < row)
    # Of the outer panels alone: each looks at all that it is aligned with.
    figure.align_xlabels([panels[n - 1, column] for column in range(n)])
    figure.align_ylabels([panels[row, 0] for row in range(1, n)])
    return figure


def beside(figure: Figure, text: str) -> None:
    """Words in the empty corner at the upper right of a corner plot of at least two numbers."""
    whole, size = figure.get_figwidth(), 10.0
    n = int(np.sqrt(2.0 * len(figure.axes)))  # of n (n + 1) / 2 panels
    width = (whole - LEFT - RIGHT) * max(n - 1, 1) / max(n, 2)
    note = figure.text(0.99, 0.99, wrapped(text, width, size), fontsize=size, ha="right", va="top", linespacing=1.4)
    note.set_in_layout(False)


def require_known(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuses names of parameters of which there are no draws.

    Raises:
        InputError: naming the first.
    """
    names = list(known)
    unknown = [name for name in given if name not in names]
    if unknown:
        raise InputError(
            f"{where}: expected some of {', '.join(map(str, names))}, found {shown(unknown[0])}; correct the name or "
            "leave it out."
        )


def _require_columns(columns: Mapping[str, np.ndarray]) -> None:
    size = next(iter(columns.values())).size if columns else 0
    for name, values in columns.items():
        if values.ndim != 1 or values.size != size or size < 10 or not np.all(np.isfinite(values)):
            raise InputError(
                f"corner: expected at least 10 finite draws of '{name}' in one dimension, as many as of the others, "
                f"found shape {values.shape} with {int(np.sum(np.isfinite(values)))} finite; join chains and split "
                "vectors first."
            )
    if not columns:
        raise InputError("corner: expected draws of at least one parameter, found none; give {name: draws}.")


def _range(values: np.ndarray, truth: float | None) -> tuple[float, float]:
    """The central 99.4 % of the draws and the truth, with a margin."""
    low, high = np.percentile(values, [0.3, 99.7])
    if truth is not None:
        low, high = min(low, truth), max(high, truth)
    margin = 0.05 * (high - low) if high > low else 1e-3 * (1.0 if high == 0.0 else abs(high))
    return float(low - margin), float(high + margin)


def _histogram(ax: Axes, values: np.ndarray, limits: tuple[float, float], truth: float | None) -> None:
    ax.hist(values, bins=BINS, range=limits, histtype="stepfilled", color=INTRINSIC, alpha=0.35)
    quantiles = np.percentile(values, [16.0, 50.0, 84.0])
    for quantile in quantiles:
        ax.axvline(quantile, color=INTRINSIC, ls="--", lw=0.9)
    if truth is not None:
        ax.axvline(truth, color=NAIVE, lw=1.3)
    ax.set_title(_summary(*quantiles), fontsize=8.5)
    ax.set_xlim(limits)
    ax.set_yticks([])


def _summary(low: float, median: float, high: float) -> str:
    """median, up and down, with two digits of the smaller distance."""
    up, down = high - median, median - low
    smallest = min(abs(up), abs(down))
    if smallest == 0.0:
        smallest = 1.0 if median == 0.0 else 1e-3 * abs(median)
    (value, above, below), exponent = digits([median, up, down], smallest)
    power = rf" \times 10^{{{exponent}}}" if exponent else ""
    return f"${value}^{{+{above}}}_{{-{below}}}{power}$"


def _contours(
    ax: Axes, x: np.ndarray, y: np.ndarray, x_limits: tuple[float, float], y_limits: tuple[float, float]
) -> None:
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=BINS, range=(x_limits, y_limits))
    density = _smoothed(_smoothed(counts, 0), 1).T
    middles = 0.5 * (x_edges[1:] + x_edges[:-1]), 0.5 * (y_edges[1:] + y_edges[:-1])
    levels = _levels(density, middles, x, y)
    if levels[0] < levels[1] < density.max():
        ax.contourf(*middles, density, levels=[*levels, density.max()], colors=[(INTRINSIC, 0.25), (INTRINSIC, 0.6)])
        ax.contour(*middles, density, levels=levels, colors=INTRINSIC, linewidths=0.9)
    ax.set(xlim=x_limits, ylim=y_limits)


def _smoothed(counts: np.ndarray, axis: int, width: float = 1.5) -> np.ndarray:
    """Counts blurred along an axis by a Gaussian of `width` bins."""
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    return np.apply_along_axis(np.convolve, axis, counts, kernel / kernel.sum(), mode="same")


def _levels(density: np.ndarray, middles: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray) -> list[float]:
    """Densities above which `MASSES` of the draws lie, lowest first.

    Of the density at the draws, not of its sum over the bins: smoothing widens what is narrow.
    """
    from scipy.ndimage import map_coordinates

    column, row = ((values - at[0]) / (at[1] - at[0]) for values, at in zip((x, y), middles, strict=True))
    at_draws = map_coordinates(density, [row, column], order=1, mode="nearest")
    return [float(level) for level in np.quantile(at_draws, [1.0 - mass for mass in MASSES])]


def _mark(ax: Axes, x: float | None, y: float | None) -> None:
    if x is not None:
        ax.axvline(x, color=NAIVE, lw=0.9)
    if y is not None:
        ax.axhline(y, color=NAIVE, lw=0.9)


def _ticks(ax: Axes, across: str, down: str, bottom: bool, left: bool) -> None:
    """Labels and numbers on the outer panels only."""
    ax.tick_params(labelsize=7, labelbottom=bottom, labelleft=left)
    ax.tick_params(axis="x", labelrotation=40)
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    if left or ax.get_ylim()[0] != 0.0:
        ax.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
    ax.set_xlabel(across if bottom else "", fontsize=8.5)
    ax.set_ylabel(down if left else "", fontsize=8.5)
