"""Where the centre of a galaxy is on the source's plane, and where that is seen."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.traced import source_positions


def require_within(centre: tuple[float, float] | None, grid: Grid) -> None:
    """Refuses a centre that is stated and lies off the map of the source's plane."""
    if centre is None:
        return
    x, y = (np.asarray(axis) for axis in grid.centres())
    ends = [(float(axis.min()), float(axis.max())) for axis in (x, y)]
    if not all(low <= one <= high for one, (low, high) in zip(centre, ends, strict=True)):
        within = " and ".join(
            f"{name} from {low:.3g} to {high:.3g}" for name, (low, high) in zip("xy", ends, strict=True)
        )
        raise InputError(
            f"centre: expected a place on the map of the source's plane, {within} arcsec, found ({centre[0]:g}, "
            f"{centre[1]:g}); correct it."
        )


def peak(light: np.ndarray, covered: np.ndarray, grid: Grid) -> tuple[float, float]:
    """The centre of light of the 3 x 3 pixels about the brightest one."""
    bright = np.where(covered & np.isfinite(light), light, -np.inf)
    if not np.isfinite(bright).any() or bright.max() <= 0.0:
        raise InputError("The light must be above 0 somewhere to show the centre, but is not; state source.centre.")
    row, column = np.unravel_index(int(np.argmax(bright)), bright.shape)
    rows, columns = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
    weight = np.maximum(bright[rows, columns], 0.0)
    x, y = (np.asarray(one)[rows, columns] for one in grid.centres())
    return float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())


def seen_at(lens: Lens | None, grid: Grid, used: np.ndarray, centre: tuple[float, float]) -> tuple[float, float]:
    """Where a point of the source's plane is seen: the nearest of the used pixels when they are traced."""
    x, y = (np.asarray(one, float) for one in grid.centres())
    beta = source_positions(lens, x, y)
    away = np.hypot(beta[0][used] - centre[0], beta[1][used] - centre[1])
    if not np.isfinite(away).any():
        raise InputError("The lens must be known in the image, but is not; use a larger map of its deflection.")
    nearest = int(np.nanargmin(away))
    return float(x[used][nearest]), float(y[used][nearest])
