"""The point-spread function on the source's plane: a point, lensed, blurred, and traced back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.instrument.psf import PSF
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.beam import Blur, beam
from jaxmetal.sourceplane.ellipse import Ellipse, from_covariance
from jaxmetal.sourceplane.fitted import fitted_covariance
from jaxmetal.sourceplane.traced import source_positions

CELLS = 12
"""Along a full width at half maximum; twice as many, and twice again, where half as many give another ellipse."""
FINEST = 48
"""Cells along a full width, at most."""
EVEN = 0.03
"""Largest change of a covariance, over its mean axis squared, with twice as many cells, that is left at that."""
REACH = 2.5
"""Half the side of the window around an image of the point, in full widths at half maximum."""
OFF = (0.37, 0.41)
"""Where in its cell the point lies: on no edge and no diagonal."""
FITTED = 1.6
"""The same of the part of it that is fitted."""
ABREAST = (1, 8, 64)
"""Points at a time: few numbers, as programs are compiled for each."""

Inside = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def source_psf(
    lens: Lens | None, psf: PSF, grid: Grid, x: Any, y: Any, *, labels: Any = None, finest: int = FINEST
) -> Ellipse:
    """The ellipse at half maximum, on the source's plane, of a point that is seen at (x, y).

    The point's images (there may be several where the lens folds the plane) are blurred, and the blurred light is
    traced back, surface brightness by surface brightness: sum over theta of PSF(theta - theta_i) |mu_i| at
    beta(theta). The ellipse is that of the Gaussian that fits it best in the sense of least squares, times what such
    a fit makes of the PSF itself, so that without a lens it is the PSF's own full width. The Jacobian of the lens at
    one point, which is enough elsewhere, fails near critical curves (Curti et al. 2020, MNRAS 492, 821, sect. 3.2).

    Args:
        lens: a lens, or a `lens.Plane` of several behind which the source lies; None for none.
        psf: of `jaxmetal.instrument`; one that does not contain the detector's pixel is widened by it.
        grid: the pixels of the image.
        x: where the point is seen, arcsec to the West, any shape.
        y: the same to the North.
        labels: which image of the source each pixel belongs to, shape (ny, nx), whole numbers: light that falls on
            another image is not traced back with this one. 0 and below belong to all.
        finest: cells along a full width of the PSF, at most, where the lens has small details.

    Returns:
        Axes (arcsec) and position angles, of the shape of x; NaN where the lens is not known.
    """
    x, y = np.broadcast_arrays(floats("x", x, "arcsec"), floats("y", y, "arcsec"))
    points, belongs = np.stack([x.ravel(), y.ravel()], axis=-1), _belonging(grid, labels)
    seen, cells = beam(psf, grid), CELLS
    covariance = _found(lens, points, seen, cells, belongs)
    uneven = np.zeros(len(points), bool)
    if finest > cells:
        uneven = _apart(_found(lens, points, seen, cells // 2, belongs), covariance) > EVEN
    while uneven.any() and cells < finest:
        cells *= 2
        finer = _found(lens, points[uneven], seen, cells, belongs)
        still = _apart(covariance[uneven], finer) > EVEN
        covariance[uneven] = finer
        uneven[uneven] = still
    ellipse = from_covariance(np.where(np.isfinite(covariance), covariance, 1.0))
    known = np.isfinite(covariance).all(axis=(1, 2))
    return Ellipse(*(np.where(known, one, np.nan).reshape(x.shape) for one in ellipse))


def _found(lens: Lens | None, points: np.ndarray, seen: tuple[float, Blur], cells: int, belongs: Inside) -> np.ndarray:
    """Covariances (n, 2, 2) with so many cells, in units in which the PSF has its own full width without a lens."""
    size, blur = seen
    unit = _covariances(None, points[:1] * 0.0, size, cells, blur, lambda x, y, _: np.ones(x.shape, bool))
    own = float(np.max(from_covariance(unit).mean)) / size
    most = ABREAST[-1 if cells <= CELLS else 1]
    parts = [_filled(points[k : k + most]) for k in range(0, len(points), most)]
    made = np.concatenate([_covariances(lens, part, size, cells, blur, belongs) for part in parts])
    return np.asarray(made[: len(points)] / own**2)


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference between covariances over the square of the mean axis; 0 where one is not known."""
    scale = np.sqrt(np.maximum(other[:, 0, 0] * other[:, 1, 1] - other[:, 0, 1] ** 2, 1e-300))
    return np.nan_to_num(np.abs(one - other).max(axis=(1, 2)) / scale)


def _filled(points: np.ndarray) -> np.ndarray:
    """As many points as programs are compiled for."""
    count = next(number for number in ABREAST if number >= len(points))
    return np.concatenate([points, np.repeat(points[-1:], count - len(points), axis=0)])


def _belonging(grid: Grid, labels: Any) -> Inside:
    """Whether light at (x, y) is traced back with the image of a point at `point`."""
    if labels is None:
        return lambda x, y, point: np.ones(x.shape, bool)
    marks = np.pad(np.maximum(np.asarray(labels), 0), 1)

    def label(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        column, row = (np.rint(one).astype(int) + 1 for one in grid.to_pixel(x, y))
        ny, nx = marks.shape
        return marks[np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)]

    def inside(x: np.ndarray, y: np.ndarray, point: np.ndarray) -> np.ndarray:
        here, own = label(x, y), label(point[:, 0], point[:, 1])[:, None, None]
        return (here == own) | (here == 0) | (own == 0)

    return inside


def _covariances(lens: Lens | None, points: np.ndarray, size: float, cells: int, blur: Blur, inside: Inside) -> Any:
    """Covariance of the Gaussian that fits the blurred image of each point, on the source's plane, (n, 2, 2)."""
    half, step = int(np.ceil(REACH * cells)), size / cells
    line = np.arange(-half, half + 1) * step
    x = points[:, 0, None, None] + line[None, None, :] + (0.5 - OFF[0]) * step
    y = points[:, 1, None, None] + line[None, :, None] + (0.5 - OFF[1]) * step
    x, y = np.broadcast_arrays(x, y)
    beta = np.stack(source_positions(lens, x, y))
    target = np.stack(source_positions(lens, points[:, 0], points[:, 1]))
    middle = [0.25 * (o[:, :-1, :-1] + o[:, :-1, 1:] + o[:, 1:, 1:] + o[:, 1:, :-1]) for o in (x, y, *beta)]
    first, second = beta[:, :, 1:, 1:] - beta[:, :, :-1, :-1], beta[:, :, 1:, :-1] - beta[:, :, :-1, 1:]
    area = 0.5 * np.abs(first[0] * second[1] - first[1] * second[0])
    weight = area * inside(middle[0], middle[1], points)
    fitted = slice(half - int(FITTED * cells), half + int(FITTED * cells))
    weight, *middle = (np.where(np.isfinite(weight), one, 0.0)[:, fitted, fitted] for one in (weight, *middle))
    light = np.zeros(weight.shape)
    for number, place, mu in _images(np.stack([x, y]), beta, target):
        light[number] += mu * blur(middle[0][number] - place[0], middle[1][number] - place[1])
    at = np.stack(middle[2:], axis=-1).reshape(len(points), -1, 2)
    return fitted_covariance(at, (light * weight).reshape(len(points), -1))


def _images(theta: np.ndarray, beta: np.ndarray, target: np.ndarray) -> list[tuple[int, np.ndarray, float]]:
    """Images of each target among the cells, as (number of the point, position, |mu|), taken as affine in triangles."""

    def corner(values: np.ndarray, place: tuple[int, int]) -> np.ndarray:
        ny, nx = values.shape[-2:]
        return values[..., place[0] : ny - 1 + place[0], place[1] : nx - 1 + place[1]]

    found = []
    for places in (((0, 0), (0, 1), (1, 0)), ((1, 1), (1, 0), (0, 1))):
        a, b, c = (corner(beta, place) - target[:, :, None, None] for place in places)
        parts = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)])
        holds = (parts >= 0).all(axis=0) | (parts <= 0).all(axis=0)
        for number, row, column in zip(*np.nonzero(holds), strict=True):
            share = parts[:, number, row, column]
            vertices = np.stack([corner(theta, place)[:, number, row, column] for place in places])
            whole = _cross(vertices[1] - vertices[0], vertices[2] - vertices[0])
            total = share.sum()
            if total != 0.0:
                found.append((int(number), share @ vertices / total, float(abs(whole / total))))
    return found


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[1] - a[1] * b[0]
