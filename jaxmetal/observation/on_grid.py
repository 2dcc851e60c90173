"""Observations whose pixels are a `grid` with a registration `dx`, `dy`: where these lie, as parts of such a kind.

shape, pointing, pixels = property(grid_shape), property(grid_and_registration), property(registered_grid)
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxmetal.numerics.grid import Grid


def grid_shape(observation: Any) -> tuple[int, int]:
    """(ny, nx) of the pixels."""
    return observation.grid.shape


def grid_and_registration(observation: Any) -> tuple[Grid, Any, Any]:
    """All that decides where the pixels lie."""
    return observation.grid, observation.dx, observation.dy


def registered_grid(observation: Any) -> Grid:
    """The grid moved by its registration (arcsec to the West, to the North) into the scene's coordinates."""
    grid = observation.grid
    shift = observation.dx * np.array([1.0, 0.0]) + observation.dy * np.array([0.0, 1.0])
    return dataclasses.replace(grid, origin=grid.origin + shift)
