"""Images of a point behind any lens."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.ranges import number
from jaxmetal.lens.derive import Lens, distortion
from jaxmetal.machine import Program
from jaxmetal.numerics.grid import Grid
from jaxmetal.result.critical import require_lens, samples_along, traced

SAMPLES = 150
"""Along the longer side of the field."""
STEPS = 30
"""Of Newton's method from a triangle to the image in it."""
MISSED = 1e-7
"""Distance on the source's plane, over the field, within which an image belongs to the point."""
FAINT = 1e-4
"""Magnification below which an image is that at the centre of a singular lens."""


class Images(NamedTuple):
    """Images of one point, the brightest first.

    Attributes:
        x: arcsec to the West, shape (n,).
        y: arcsec to the North, shape (n,).
        mu: signed magnification; negative for mirrored images.
    """

    x: np.ndarray
    y: np.ndarray
    mu: np.ndarray


def image_positions(lens: Lens, x: float, y: float, grid: Grid, *, samples: int = SAMPLES) -> Images:
    """All images of the point (x, y) of the source's plane within the field of `grid`.

    The field is cut into triangles; those that hold the point when they are traced to the source's plane hold an image,
    which Newton's method finds. Two images closer than a sample, at a critical curve, may be missed together.

    Args:
        lens: a lens, or a `Plane` of several behind which a source lies.
        x: arcsec to the West.
        y: arcsec to the North.
        grid: whose frame is searched.
        samples: along the longer side.

    Raises:
        InputError: if it is no lens, or one with priors, a place is no number, or there are no samples.
    """
    require_lens(lens)
    column, row = samples_along(grid, samples)
    theta = np.stack([np.asarray(axis) for axis in grid.to_sky(*np.meshgrid(column, row))])
    point = np.array([number("x", x, unit="arcsec"), number("y", y, unit="arcsec")])
    cell = float(column[1] - column[0]) * float(np.max(grid.steps))
    starts = _starts(theta, theta - np.stack([np.asarray(a) for a in traced(lens, *theta)]), point)
    if len(starts) == 0:
        return Images(*np.zeros((3, 0)))
    found, missed, mu = (np.asarray(part) for part in _solved(lens, starts, point, cell))
    half = 0.5 * np.array([[grid.shape[1]], [grid.shape[0]]])
    inside = (np.abs(np.stack(grid.to_pixel(*found.T)) - (half - 0.5)) <= half).all(axis=0)
    good = (missed < MISSED * cell * samples) & (np.abs(mu) > FAINT) & inside
    found, mu = found[good], mu[good]
    order = np.argsort(-np.abs(mu))
    kept: list[int] = []
    for k in order:
        if all(np.hypot(*(found[k] - found[other])) > 1e-3 * cell for other in kept):
            kept.append(k)
    return Images(found[kept, 0], found[kept, 1], mu[kept])


def _starts(theta: np.ndarray, beta: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Middles of the triangles that hold the point on the source's plane, shape (n, 2)."""

    def corner(values: np.ndarray, down: int, right: int) -> np.ndarray:
        _, ny, nx = values.shape
        return values[:, down : ny - 1 + down, right : nx - 1 + right]

    found = []
    for triangle in (((0, 0), (0, 1), (1, 0)), ((1, 1), (1, 0), (0, 1))):
        a, b, c = (corner(beta, *place) - point[:, None, None] for place in triangle)
        sides = np.stack([_cross(a, b), _cross(b, c), _cross(c, a)])
        holds = (sides >= 0).all(axis=0) | (sides <= 0).all(axis=0)
        middle = np.mean([corner(theta, *place) for place in triangle], axis=0)
        found.append(middle[:, holds].T)
    return np.concatenate(found)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[1] - a[1] * b[0]


def _newton(lens: Lens, starts: jax.Array, point: jax.Array, reach: float) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Positions, their distances from the point on the source's plane, and magnifications."""

    def off(theta: jax.Array) -> jax.Array:
        return theta - jnp.stack(lens(theta[:, 0], theta[:, 1]), axis=-1) - point

    def step(theta: jax.Array, _: None) -> tuple[jax.Array, None]:
        at = distortion(lens, theta[:, 0], theta[:, 1])
        move = -jnp.stack(at.lifted(*off(theta).T), axis=-1)
        size = jnp.sqrt(jnp.sum(move**2, axis=-1, keepdims=True))
        move = move * jnp.minimum(1.0, reach / jnp.where(size > 0, size, 1.0))
        return theta + jnp.where(jnp.isfinite(move), move, 0.0), None

    theta = jax.lax.scan(step, starts, length=STEPS)[0]
    return theta, jnp.sqrt(jnp.sum(off(theta) ** 2, axis=-1)), distortion(lens, theta[:, 0], theta[:, 1]).mu


_solved = Program(_newton)
