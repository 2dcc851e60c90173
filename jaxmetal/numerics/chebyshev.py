"""Polynomial interpolation on Chebyshev nodes."""

from __future__ import annotations

import numpy as np


def nodes(order: int) -> np.ndarray:
    """The zeros of the Chebyshev polynomial T_order, within [-1, 1]."""
    return np.cos(np.pi * (np.arange(order) + 0.5) / order)


def cardinals(order: int, x: np.ndarray) -> np.ndarray:
    """The polynomials l_m that are 1 at node m and 0 at the others, so that f(x) ~ sum_m f(node m) l_m(x).

        l_m(x) = (1 + 2 sum_k T_k(node m) T_k(x)) / order,     k = 1 .. order - 1,     T_k(x) = cos(k arccos x)

    (Trefethen 2013, Approximation Theory and Approximation Practice, ch. 3 and 5.) The error of an analytic f falls
    geometrically with the order.

    Args:
        order: number of nodes.
        x: positions within [-1, 1], shape (P,).

    Returns:
        Shape (order, P).
    """
    degree = np.arange(order)
    at_nodes = np.cos(np.outer(np.pi * (degree + 0.5) / order, degree)) * np.where(degree == 0, 1.0, 2.0) / order
    return at_nodes @ np.cos(degree[:, None] * np.arccos(np.clip(x, -1.0, 1.0)))
