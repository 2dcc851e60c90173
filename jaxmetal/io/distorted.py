"""Images whose world coordinates are no affine map: the polynomial that follows them, and what they do to pixels."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.distortion import SkyDistortion, powers_of
from jaxmetal.numerics.grid import Grid

FOLLOWED = 0.02
"""Largest departure from the polynomial that follows it, pixels."""
BENT = 0.2
"""Largest change of a pixel by distortion, over its side: beyond it no camera's, and not to be inverted."""
SAMPLES = 9
"""Positions per axis at which world coordinates are evaluated."""


def all_over(shape: tuple[int, int]) -> np.ndarray:
    """Columns and rows of places all over an image, (2, n)."""
    return np.stack([a.ravel() for a in np.meshgrid(*(np.linspace(0, max(n - 1, 1), SAMPLES) for n in shape[::-1]))])


def departure(grid: Grid, indices: np.ndarray, places: np.ndarray) -> np.ndarray:
    """By how many pixels the grid misses places on the sky, shape (n,)."""
    found = np.stack(grid.to_sky(*indices), axis=1)
    return np.asarray(np.hypot(*np.linalg.solve(np.asarray(grid.matrix), (places - found).T)))


def distorted(grid: Grid, indices: np.ndarray, places: np.ndarray) -> Grid:
    """The grid with the polynomial that follows the departure of the places from it."""
    ny, nx = grid.shape
    middle, unit = np.array([0.5 * (nx - 1), 0.5 * (ny - 1)]), 0.5 * max(nx, ny)
    u, v = (indices - middle[:, None]) / unit
    design = np.stack([np.ones_like(u), u, v, *powers_of(u, v)], axis=1)
    solution = np.linalg.lstsq(design, places)[0]
    matrix = solution[1:3].T / unit
    made = Grid(
        shape=grid.shape,
        origin=solution[0] - matrix @ middle,
        matrix=matrix,
        distortion=SkyDistortion(terms=solution[3:].T, middle=middle, unit=unit),
    )
    worst, bent = float(departure(made, indices, places).max()), _bent(made)
    if worst > FOLLOWED or bent > BENT:
        raise InputError(
            f"World coordinates must be smooth over the image, but their distortion changes pixels by {bent:.0%} and "
            f"leaves {worst:.3g} pixel of a polynomial; cut out the galaxy, or correct the header."
        )
    return made


def _changes(grid: Grid) -> np.ndarray:
    """d(distortion) / d(pixel) over the sides of a pixel, at places all over the image, shape (2, 2, n)."""
    column, row = all_over(grid.shape)
    assert grid.distortion is not None
    along = [
        np.stack(grid.distortion(column + 0.5 * step[0], row + 0.5 * step[1]))
        - np.stack(grid.distortion(column - 0.5 * step[0], row - 0.5 * step[1]))
        for step in np.eye(2)
    ]
    return np.einsum("ij,kjn->ikn", np.linalg.inv(np.asarray(grid.matrix)), np.stack(along))


def _bent(grid: Grid) -> float:
    return float(np.linalg.norm(_changes(grid), axis=(0, 1)).max())


def uneven(grid: Grid) -> float:
    """Largest departure of the area of a pixel from that of the matrix, over it."""
    (xx, xy), (yx, yy) = _changes(grid)
    return float(np.abs((1 + xx) * (1 + yy) - xy * yx - 1).max())
