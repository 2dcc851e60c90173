"""Straight lines, unweighted and weighted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from jaxmetal.edge.columns import used_columns
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import require_errors


@dataclass(frozen=True, kw_only=True, eq=False)
class StraightLine:
    """value = central + slope radius, fitted.

    Attributes:
        central: value at radius 0.
        slope: change of value per unit of the radius.
        covariance: of (central, slope), shape (2, 2).
        chi2: sum of the squared residuals, each over its error (`wls`) or as it is (`ols`).
        dof: number of data less 2.
    """

    central: float
    slope: float
    covariance: np.ndarray
    chi2: float
    dof: int

    @property
    def central_error(self) -> float:
        """Standard error of `central`."""
        return float(np.sqrt(self.covariance[0, 0]))

    @property
    def slope_error(self) -> float:
        """Standard error of `slope`: naive, as if the scatter about the line were independent from pixel to pixel."""
        return float(np.sqrt(self.covariance[1, 1]))


def ols(radius: np.ndarray, value: np.ndarray, *, used: np.ndarray | None = None) -> StraightLine:
    """Ordinary least squares, the errors taken from the scatter about the line.

    Minimises sum (value - central - slope radius)^2. The covariance is s^2 (X^T X)^-1 with
    s^2 = sum residual^2 / (n - 2); it is NaN for two points, which leave no scatter to measure.

    Args:
        radius: bare numbers, shape (n,).
        value: likewise.
        used: True for data that count, shape (n,).

    Raises:
        InputError: when arrays are not 1-D, of different shapes or quantities with a unit, used values are not finite,
            or fewer than 2 of the radii are different.
    """
    radius, value = used_columns(used, radius=radius, value=value)
    line = _line(radius, value, np.ones_like(radius))
    scatter = line.chi2 / line.dof if line.dof else np.nan
    return StraightLine(
        central=line.central, slope=line.slope, covariance=scatter * line.covariance, chi2=line.chi2, dof=line.dof
    )


def wls(
    radius: np.ndarray,
    value: np.ndarray,
    sigma: np.ndarray,
    *,
    used: np.ndarray | None = None,
    shared: Iterable[np.ndarray] = (),
) -> StraightLine:
    """Least squares weighted by 1 / sigma^2, the errors taken from `sigma` as it is.

    Minimises chi2 = sum ((value - central - slope radius) / sigma)^2. The covariance is (X^T W X)^-1, not rescaled by
    chi2 / dof, and the sum of l_k l_k^T over the straight lines l_k through what is shared. An infinite sigma, an
    inverse variance of 0, is no datum.

    Args:
        radius: bare numbers, shape (n,).
        value: likewise.
        sigma: standard deviation, each datum's own; likewise.
        used: True for data that count, shape (n,).
        shared: by how much all data move together with one standard-normal number, an array of shape (n,) for each
            (`spaxel.apart`).

    Raises:
        InputError: as `ols`, and when a used sigma is not positive.
    """
    moved = {f"shared {k}": one for k, one in enumerate(shared)}
    radius, value, sigma, *moves = used_columns(used, radius=radius, value=value, sigma=sigma, **moved)
    require_errors("sigma", sigma)
    line = _line(radius, value, sigma)
    covariance = line.covariance
    for one in moves:
        along = _line(radius, one, sigma)
        covariance = covariance + np.outer((along.central, along.slope), (along.central, along.slope))
    return replace(line, covariance=covariance)


def _line(radius: np.ndarray, value: np.ndarray, sigma: np.ndarray) -> StraightLine:
    """Weighted straight line; the radius is centred first, which keeps the normal equations well conditioned."""
    if np.unique(radius).size < 2:
        raise InputError(
            f"radius: expected at least 2 different used radii for a slope, found {np.unique(radius).size} among "
            f"{radius.size} used pixels; use more pixels or annuli."
        )
    weight = sigma**-2.0
    total = weight.sum()
    centre = (weight * radius).sum() / total
    offset = radius - centre
    lever = (weight * offset**2).sum()
    slope = (weight * offset * value).sum() / lever
    central = (weight * value).sum() / total - slope * centre
    covariance = np.array([[1.0 / total + centre**2 / lever, -centre / lever], [-centre / lever, 1.0 / lever]])
    chi2 = (weight * (value - central - slope * radius) ** 2).sum()
    return StraightLine(
        central=float(central), slope=float(slope), covariance=covariance, chi2=float(chi2), dof=radius.size - 2
    )
