"""Quadrature of functions with a cusp: a smooth window splits the plane into a regular and a polar part.

A function with a cusp at a point c is split as f = w f + (1 - w) f with w = exp(-(|r - c| / a)^4). The second part is
smooth and any regular grid integrates it; the first is integrated in polar coordinates around c, where a radial cusp is
a smooth function after the substitution rho = extent a t^power.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

EXTENT = 2.0
"""Radius of the polar part in units of the window's size a; the window is e^-16 there."""


def window(dx: ArrayLike, dy: ArrayLike, size: ArrayLike) -> jax.Array:
    """The window w = exp(-(r / size)^4), r^2 = dx^2 + dy^2; all lengths in one unit."""
    return jnp.exp(-jnp.square((jnp.square(dx) + jnp.square(dy)) / jnp.square(size)))


def polar_nodes(
    n_radial: int, n_angular: int, size: float = 1.0, power: float = 3.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes and weights that integrate w f over the plane.

    Gauss-Legendre in t with rho = EXTENT t^power, trapezoid (spectral for periodic functions) in angle. All weights are
    positive, so that a ratio of two such integrals stays a convex mean.

    Returns:
        dx, dy and weights (area, with the window included), each of shape (n_radial * n_angular,); ring by ring from
        the centre outwards.
    """
    t, dt = _radial(n_radial)
    rho = ring_radii(n_radial, power)
    ring = rho * EXTENT * power * t ** (power - 1.0) * dt * np.exp(-(rho**4)) * (2.0 * np.pi / n_angular)
    angle = 2.0 * np.pi * (np.arange(n_angular)[None, :] + 0.5 * (np.arange(n_radial)[:, None] % 2)) / n_angular
    weights = np.broadcast_to(ring[:, None], angle.shape)
    radius = size * rho[:, None]
    return (radius * np.cos(angle)).ravel(), (radius * np.sin(angle)).ravel(), size**2 * weights.ravel()


def ring_radii(n_radial: int, power: float = 3.0) -> np.ndarray:
    """Radii of the rings of `polar_nodes` in units of the window's size, rising."""
    return EXTENT * _radial(n_radial)[0] ** power


def _radial(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    t, dt = np.polynomial.legendre.leggauss(count)
    return 0.5 * (t + 1.0), 0.5 * dt
