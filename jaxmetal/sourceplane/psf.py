"""The point-spread function on the source's plane: a point, lensed, blurred, and traced back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import griddata

from jaxmetal.edge.arrays import as_mask
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.forms import FWHM_PER_SIGMA
from jaxmetal.instrument.psf import PSF
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.beam import beam
from jaxmetal.sourceplane.ellipse import Ellipse, from_covariance
from jaxmetal.sourceplane.fitted import fitted_covariance
from jaxmetal.sourceplane.traced import source_positions

CELLS = 12
"""Along a full width at half maximum."""
REACH = 2.5
"""Half the side of the window around an image of the point, in full widths at half maximum."""
OFF = (0.37, 0.41)
"""Where in its cell the point lies: on no edge and no diagonal."""
FITTED = 1.6
"""The same of the part of it that is fitted."""
ABREAST = (1, 8, 64)
"""Points at a time: few numbers, as programs are compiled for each."""

Inside = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def source_psf(lens: Lens | None, psf: PSF, grid: Grid, x: Any, y: Any, *, labels: Any = None) -> Ellipse:
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

    Returns:
        Axes (arcsec) and position angles, of the shape of x; NaN where the lens is not known.
    """
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    size, blur = beam(psf, grid)
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    belongs = _belonging(grid, labels)
    steps = size / CELLS
    unit = _covariances(None, points[:1] * 0.0, steps, blur, lambda x, y, _: np.ones(x.shape, bool))
    own = float(np.max(from_covariance(unit).mean)) / size
    most = ABREAST[-1]
    parts = [_filled(points[k : k + most]) for k in range(0, len(points), most)]
    covariance = np.concatenate([_covariances(lens, part, steps, blur, belongs) for part in parts])
    covariance = covariance[: len(points)] / own**2
    ellipse = from_covariance(np.where(np.isfinite(covariance), covariance, 1.0))
    known = np.isfinite(covariance).all(axis=(1, 2))
    return Ellipse(*(np.where(known, one, np.nan).reshape(x.shape) for one in ellipse))


def psf_map(
    lens: Lens | None, psf: PSF, grid: Grid, *, used: Any = None, labels: Any = None, every: int | None = None
) -> Ellipse:
    """`source_psf` in every used pixel of an image.

    Args:
        lens: as `source_psf`.
        psf: as `source_psf`.
        grid: the pixels.
        used: True where it is wanted, shape (ny, nx); all by default.
        labels: as `source_psf`.
        every: pixels between those where it is traced, along both axes; the others are interpolated. By default a
            quarter of the PSF's full width.

    Returns:
        Maps (ny, nx), NaN elsewhere.
    """
    mask = as_mask(used, tuple(grid.shape))
    step = max(1, int(0.25 * beam(psf, grid)[0] / float(np.max(grid.steps)))) if every is None else every
    if step < 1:
        raise InputError(f"every: expected a number of pixels, 1 or more, found {every}; correct it.")
    rows, columns = np.nonzero(mask)
    chosen = (rows % step == 0) & (columns % step == 0)
    chosen = chosen if chosen.sum() > 3 else np.ones(rows.size, bool)
    x, y = (np.asarray(one)[rows[chosen], columns[chosen]] for one in grid.centres())
    found = source_psf(lens, psf, grid, x, y, labels=labels)
    matrices = _as_matrix(found)
    known = np.isfinite(matrices).all(axis=1)
    if not known.any():
        return Ellipse(*(np.full(mask.shape, np.nan) for _ in range(3)))
    places = np.stack([rows[chosen], columns[chosen]], axis=-1)[known]
    wanted = np.stack([rows, columns], axis=-1)
    filled = _interpolated(places, matrices[known], wanted)
    ellipse = from_covariance(filled[:, [[0, 1], [1, 2]]])
    maps = []
    for part in ellipse:
        painted = np.full(mask.shape, np.nan)
        painted[rows, columns] = part
        maps.append(painted)
    return Ellipse(*maps)


def _interpolated(places: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Linear between the places, that of the nearest beyond them."""
    nearest = griddata(places, values, wanted, method="nearest")
    if min(np.ptp(places, axis=0)) == 0 or len(places) < 4:
        return nearest
    linear = griddata(places, values, wanted, method="linear")
    return np.where(np.isfinite(linear), linear, nearest)


def _as_matrix(ellipse: Ellipse) -> np.ndarray:
    """Covariances (xx, xy, yy), shape (n, 3)."""
    pa = np.deg2rad(ellipse.pa)
    axis = np.stack([-np.sin(pa), np.cos(pa)])
    long, short = ((np.asarray(one) / FWHM_PER_SIGMA) ** 2 for one in (ellipse.major, ellipse.minor))
    pairs = ((0, 0), (0, 1), (1, 1))
    return np.stack([(long - short) * axis[i] * axis[j] + short * (i == j) for i, j in pairs], axis=-1)


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


def _covariances(lens: Lens | None, points: np.ndarray, step: float, blur: Callable[..., Any], inside: Inside) -> Any:
    """Covariance of the Gaussian that fits the blurred image of each point, on the source's plane, (n, 2, 2)."""
    half = int(np.ceil(REACH * CELLS))
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
    fitted = slice(half - int(FITTED * CELLS), half + int(FITTED * CELLS))
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
