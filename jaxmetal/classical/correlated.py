"""Straight lines through data whose errors are alike."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from jaxmetal.classical.straight import StraightLine
from jaxmetal.edge.columns import used_columns
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import require_errors


def gls(
    radius: np.ndarray, value: np.ndarray, sigma: np.ndarray, correlation: np.ndarray, *, used: np.ndarray | None = None
) -> StraightLine:
    """Generalised least squares: errors C_ij = sigma_i sigma_j correlation_ij, taken as they are.

    Minimises chi2 = d^T C^-1 d with d = value - central - slope radius; the covariance is (X^T C^-1 X)^-1.

    Args:
        radius: shape (n,).
        value: likewise.
        sigma: standard deviations; an infinite one is no datum.
        correlation: between the data, shape (n, n) (`likelihood.correlation_matrix`).
        used: boolean, True for the data to use; all by default.

    Raises:
        InputError: as `wls`, and when the correlation is no matrix of the data, or not positive definite.
    """
    places = np.arange(np.size(radius), dtype=float)
    r, v, s, kept = used_columns(used, radius=radius, value=value, sigma=sigma, place=places)
    require_errors("sigma", s)
    alike = among(correlation, kept, np.size(radius))
    design = np.stack([np.ones_like(r), r], axis=1)
    try:
        factor = cho_factor(s[:, None] * s[None, :] * alike)
    except LinAlgError:
        raise InputError(
            "correlation: expected a positive definite matrix, found another; add a share that is independent to its "
            "diagonal, or take data further apart."
        ) from None
    weighed = cho_solve(factor, design)
    covariance = np.linalg.inv(design.T @ weighed)
    central, slope = covariance @ (weighed.T @ v)
    left = v - central - slope * r
    chi2 = float(left @ cho_solve(factor, left))
    return StraightLine(central=float(central), slope=float(slope), covariance=covariance, chi2=chi2, dof=len(r) - 2)


def among(correlation: np.ndarray, kept: np.ndarray, size: int) -> np.ndarray:
    """The part of a correlation between the data that are kept, whose places are given.

    Raises:
        InputError: unless it is a matrix of all `size` data.
    """
    matrix = np.asarray(correlation, float)
    if matrix.shape != (size, size):
        raise InputError(
            f"correlation: expected a matrix of ({size}, {size}), between all data, found shape {matrix.shape}; make "
            "it with likelihood.correlation_matrix."
        )
    index = kept.astype(int)
    return matrix[np.ix_(index, index)]
