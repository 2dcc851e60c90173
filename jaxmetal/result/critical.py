"""Critical curves and caustics of any lens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from contourpy import contour_generator

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.lens.derive import Lens, distortion
from jaxmetal.machine import Program
from jaxmetal.numerics.grid import Grid
from jaxmetal.prior import sites

SAMPLES = 300
"""Along the longer side of the field."""
STEPS = 5
"""Of Newton's method from straight lines between samples to the curve."""
ASIDE = np.array([1e-3, -1.618e-3])
"""Of a sample, by which the first and the last lie within the field, so that none is on the middle of it: where a lens
is singular, its deflection is 0, and would be seen as a curve around that sample."""


class Curves(NamedTuple):
    """Where the magnification is infinite; each curve is an array (n, 2) of x and y in arcsec.

    Attributes:
        critical: det A = 0 on the sky.
        caustics: the same curves traced to the source's plane, in the same order.
    """

    critical: list[np.ndarray]
    caustics: list[np.ndarray]


def require_lens(lens: Any) -> None:
    """Refuses what does not deflect, or holds priors.

    Raises:
        InputError: saying what to give instead.
    """
    if isinstance(lens, Mapping) or not callable(lens):
        raise InputError(
            f"lens: expected a lens, or jm.lens.Plane(parts={{name: lens}}) of several, found {shown(lens)}; give one."
        )
    free = sites(lens)
    if free:
        raise InputError(
            f"lens: expected numbers, found priors ({', '.join(free)}); give that of a fit, e.g. "
            "jm.lens.Plane(parts=fit.filled()['scene'].lens), or fill them by jm.fill."
        )


def critical_curves(lens: Lens, grid: Grid, *, samples: int = SAMPLES, refine: bool = True) -> Curves:
    """The critical curves of `lens` within the field of `grid`, and their caustics.

    det A = det d beta / d theta, by differentiating the deflection, is sampled and its zeros are followed between the
    samples. Curves that are smaller than two samples are left out. The cut of a singular lens, across which an image
    appears at its centre, is no critical curve.

    Args:
        lens: a lens, or a `Plane` of several behind which a source lies.
        grid: whose frame is searched.
        samples: along the longer side.
        refine: moves the points of the curves onto them, by Newton's method across them.

    Raises:
        InputError: if it is no lens, or one with priors, or there are no samples.
    """
    require_lens(lens)
    column, row = (_aside(axis) for axis in samples_along(grid, samples))
    x, y = (np.asarray(axis) for axis in grid.to_sky(*np.meshgrid(column, row)))
    determinant = np.ma.masked_invalid(np.asarray(inverse_magnification(lens, x, y)))
    if determinant.mask.all():
        return Curves([], [])
    # Straight lines between samples find zeros of what is of one size everywhere.
    lines: Any = contour_generator(column, row, determinant / (1.0 + np.abs(determinant))).lines(0.0)
    # What goes around a single sample is not told from none by the samples.
    lines = [line for line in lines if np.ptp(line, axis=0).max() > 2.0 * (column[1] - column[0])]
    found = [np.stack([np.asarray(axis) for axis in grid.to_sky(*line.T)], axis=-1) for line in lines]
    if not found:
        return Curves([], [])
    points = np.concatenate(found)
    if refine:
        points = np.asarray(_moved(lens, points, float(np.max(grid.steps)) * (column[1] - column[0])))
    alpha = np.stack([np.asarray(part) for part in traced(lens, *points.T)], axis=-1)
    ends = np.cumsum([len(line) for line in found])[:-1]
    curves, caustics = (np.split(whole, ends) for whole in (points, points - alpha))
    return Curves(curves, caustics)


def samples_along(grid: Grid, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows, in pixels, out to the edges of the frame."""
    require_count("samples", samples, 1)
    ny, nx = grid.shape
    step = max(ny, nx) / samples
    column, row = (np.linspace(-0.5, n - 0.5, max(int(np.ceil(n / step)), 2) + 1) for n in (nx, ny))
    return column, row


def _aside(axis: np.ndarray) -> np.ndarray:
    first, last = axis[[0, -1]] + ASIDE * (axis[1] - axis[0])
    return np.linspace(first, last, len(axis))


def _det(lens: Lens, x: jax.Array, y: jax.Array) -> jax.Array:
    return 1.0 / distortion(lens, x, y).mu


def _newton(lens: Lens, points: jax.Array, reach: float) -> jax.Array:
    """Points moved across the curve onto it, by less than `reach` in each step."""

    def step(points: jax.Array, _: None) -> tuple[jax.Array, None]:
        x, y = points[:, 0], points[:, 1]
        one, zero = jnp.ones_like(x), jnp.zeros_like(x)
        value, along = jax.jvp(lambda x, y: _det(lens, x, y), (x, y), (one, zero))
        _, across = jax.jvp(lambda x, y: _det(lens, x, y), (x, y), (zero, one))
        slope = jnp.stack([along, across], axis=-1)
        move = -value[:, None] * slope / jnp.sum(slope**2, axis=-1, keepdims=True)
        size = jnp.sqrt(jnp.sum(move**2, axis=-1, keepdims=True))
        move = move * jnp.minimum(1.0, reach / jnp.where(size > 0, size, 1.0))
        return points + jnp.where(jnp.isfinite(move), move, 0.0), None

    return jax.lax.scan(step, points, length=STEPS)[0]


def _deflection(lens: Lens, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    return lens(x, y)


traced = Program(_deflection)
"""The deflection of a lens at (x, y), as a program."""
inverse_magnification = Program(_det)
"""1 / mu = det A of a lens at (x, y), as a program."""
_moved = Program(_newton)
