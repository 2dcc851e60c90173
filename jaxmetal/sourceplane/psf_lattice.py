"""A map of the point-spread function on the source's plane: traced where it changes, interpolated where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import griddata

from jaxmetal.edge.arrays import as_mask
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.psf import PSF
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.ellipse import Ellipse, from_covariance
from jaxmetal.sourceplane.psf import CELLS, source_psf

FEWEST = 64
"""Places of the coarsest lattice of an image, if it has as many pixels."""
MOST = 600
"""Places that are traced, over all images."""
ALIKE = 0.12
"""Of neighbours on a lattice: the largest change of the covariance over its mean axis squared, below which the places
between them are interpolated."""
AROUND = ((0, 1), (1, 0), (1, 1), (1, -1))


def psf_map(
    lens: Lens | None, psf: PSF, grid: Grid, *, used: Any = None, labels: Any = None, every: int | None = None
) -> Ellipse:
    """`source_psf` in every used pixel of an image.

    It is traced on a lattice, which is halved where neighbours differ (beside critical curves), until it has every
    pixel there or some hundred places; between them covariances are interpolated, those of each image by itself.
    Beside the critical curves of small galaxies it is good to several percent; single places are to one.

    Args:
        lens: as `source_psf`.
        psf: as `source_psf`.
        grid: the pixels.
        used: True where it is wanted, shape (ny, nx); all by default.
        labels: as `source_psf`.
        every: pixels between places where it is traced, along both axes, the same everywhere; 1 for all pixels.

    Returns:
        Maps (ny, nx), NaN elsewhere.

    Raises:
        InputError: if `every` is below 1, or nothing is used.
    """
    mask = as_mask(used, tuple(grid.shape))
    if every is not None and every < 1:
        raise InputError(f"every: expected a number of pixels, 1 or more, found {every}; correct it.")
    number: np.ndarray = np.where(mask, 0 if labels is None else np.maximum(np.asarray(labels), 0), -1)
    x, y = (np.asarray(one) for one in grid.centres())
    found = np.full((*mask.shape, 3), np.nan)

    def traced(places: np.ndarray) -> None:
        """Covariances (xx, xy, yy) at pixels (True)."""
        ellipse = source_psf(lens, psf, grid, x[places], y[places], labels=labels, finest=CELLS)
        found[places] = ellipse.covariance[..., (0, 0, 1), (0, 1, 1)]

    kinds = np.unique(number[mask])
    for kind in kinds:
        inside: np.ndarray = np.equal(number, kind)
        if every is None:
            _refined(found, traced, inside, MOST // len(kinds))
        else:
            traced(_some(_lattice(inside, every), inside))
        _fill(found, inside)
    known = np.asarray(np.isfinite(found).all(axis=-1))
    ellipse = from_covariance(np.where(known[..., None], found, [1.0, 0.0, 1.0])[..., [[0, 1], [1, 2]]])
    return Ellipse(*(np.where(known, part, np.nan) for part in ellipse))


def _refined(found: np.ndarray, traced: Any, inside: np.ndarray, most: int) -> None:
    """Traces an image on lattices, each twice as fine as the one before, where that one is uneven."""
    count, step = int(inside.sum()), 1
    while count > FEWEST * (2 * step) ** 2 and 2 * step < min(inside.shape):
        step *= 2
    first = _some(_lattice(inside, step), inside)
    traced(first)
    spent = int(first.sum())
    while step > 1 and spent < most:
        uneven = _uneven(found, inside, step)
        step //= 2
        new = _lattice(inside, step) & np.isnan(found[..., 0])
        worth = np.where(new, uneven, 0.0)
        chosen = worth > ALIKE
        if spent + int(chosen.sum()) > most:
            chosen &= worth >= np.sort(worth[chosen])[-(most - spent)]
        if chosen.any():
            traced(chosen)
        spent += int(chosen.sum())


def _uneven(found: np.ndarray, inside: np.ndarray, step: int) -> np.ndarray:
    """How much covariances differ between neighbours on a lattice, as a map: that of the nearest of its points."""
    matrices, there = found[::step, ::step], inside[::step, ::step]
    scale = np.sqrt(np.maximum(matrices[..., 0] * matrices[..., 2] - matrices[..., 1] ** 2, 0.0))
    largest = np.zeros(there.shape)
    for dy, dx in AROUND:
        a, b = _pair(there.shape, dy, dx)
        with np.errstate(invalid="ignore", divide="ignore"):
            change = np.abs(matrices[a] - matrices[b]).max(axis=-1) / np.sqrt(scale[a] * scale[b])
        change = np.where(there[a] & there[b] & np.isfinite(change), change, 0.0)
        largest[a], largest[b] = np.maximum(largest[a], change), np.maximum(largest[b], change)
    rows, columns = (
        np.minimum((np.arange(n) + step // 2) // step, m - 1) for n, m in zip(inside.shape, there.shape, strict=True)
    )
    return largest[np.ix_(rows, columns)]


def _pair(shape: tuple[int, ...], dy: int, dx: int) -> tuple[Any, Any]:
    """Slices of all points and of those (dy, dx) farther on."""
    ny, nx = shape
    low, high = max(-dx, 0), nx - max(dx, 0)
    return np.s_[: ny - dy, low:high], np.s_[dy:, low + dx : high + dx]


def _lattice(inside: np.ndarray, step: int) -> np.ndarray:
    chosen = np.zeros(inside.shape, bool)
    chosen[::step, ::step] = inside[::step, ::step]
    return chosen


def _some(chosen: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """All that are inside where a lattice has next to none."""
    return chosen if chosen.sum() > 3 else inside


def _fill(found: np.ndarray, inside: np.ndarray) -> None:
    """Linear between the places of an image that were traced, that of the nearest beyond them."""
    known = inside & np.isfinite(found).all(axis=-1)
    wanted = inside & ~known
    if not known.any() or not wanted.any():
        return
    places, values, at = np.argwhere(known), found[known], np.argwhere(wanted)
    nearest = griddata(places, values, at, method="nearest")
    if min(np.ptp(places, axis=0)) == 0 or len(places) < 4:
        found[wanted] = nearest
        return
    linear = griddata(places, values, at, method="linear")
    found[wanted] = np.where(np.isfinite(linear), linear, nearest)
