"""Maps on the source's plane, by averaging the image pixels that land in each pixel there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.ndimage import label
from scipy.sparse import csr_array

from jaxmetal.edge.arrays import as_mask, floats, require_shape
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import number
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.traced import TracedPixels, parts_for, trace

MOST_PIXELS = 4_000_000
"""Of a map on the source's plane."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reconstruction:
    """How image pixels lie over pixels of the source's plane.

    Surface brightness is what a lens leaves alone: S_k = sum_p a_kp I_p / sum_p a_kp, with a_kp the area of the source
    pixel k that the traced image pixel p covers. Metallicity is derived after that (Curti et al. 2020, MNRAS 492, 821,
    sect. 3.2), never averaged first.

    Attributes:
        image: the image pixels, on the sky.
        grid: pixels on the source's plane, x West and y North as on the sky.
        overlap: a_kp, arcsec^2, shape (source pixels, image pixels), both in the order of their flattened grids.
        used: image pixels that take part, shape of `image`.
        seen: how many connected regions of the image, each of one parity, land in each source pixel, shape of `grid`.
    """

    image: Grid
    grid: Grid
    overlap: csr_array
    used: np.ndarray
    seen: np.ndarray

    @property
    def coverage(self) -> np.ndarray:
        """Area that image pixels cover of each source pixel over its own: above 1 where images lie on each other."""
        return self.overlap.sum(axis=1).reshape(self.grid.shape) / float(self.grid.pixel_area)

    def mean(self, values: Any) -> np.ndarray:
        """Averages of image maps in each source pixel, NaN where nothing lands.

        Args:
            values: surface brightness, or flux per image pixel, shape (ny, nx) or (ny, nx, features); NaN is missing.
        """
        flat, there = self._flat("values", values)
        weight = self.overlap @ there.astype(float)
        total = self.overlap @ np.where(there, flat, 0.0)
        return self._shaped(np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0.0), values)

    def error(self, sigma: Any) -> np.ndarray:
        """Standard deviations of `mean` for independent errors of the image pixels.

        Source pixels that share an image pixel share its error: sums over them need `weights`, not these.

        Args:
            sigma: shape (ny, nx) or (ny, nx, features); NaN, as of its value, is missing.
        """
        flat, there = self._flat("sigma", sigma)
        weight = self.overlap @ there.astype(float)
        squares = self.overlap.power(2) @ np.where(there, flat, 0.0) ** 2
        found = np.divide(np.sqrt(squares), weight, out=np.full(weight.shape, np.nan), where=weight > 0.0)
        return self._shaped(found, sigma)

    def measured(self, values: Any, sigma: Any) -> tuple[np.ndarray, np.ndarray]:
        """`mean` and `error` of the pixels that have both a value and a finite error.

        Args:
            values: as `mean`.
            sigma: as `error`, of the same shape.
        """
        values, sigma = floats("values", values), floats("sigma", sigma)
        require_shape("sigma", sigma, values.shape)
        there = np.isfinite(values) & np.isfinite(sigma)
        return self.mean(np.where(there, values, np.nan)), self.error(np.where(there, sigma, np.nan))

    @property
    def weights(self) -> csr_array:
        """Of each image pixel in the mean of each source pixel, summing to 1 where anything lands."""
        total = self.overlap.sum(axis=1)
        inverse = np.divide(1.0, total, out=np.zeros(len(total)), where=total > 0.0)
        return csr_array(self.overlap.multiply(inverse[:, None]))

    def flux(self, values: Any) -> np.ndarray:
        """The source's own flux: the sum of the mean surface brightness times the area that is covered.

        Of one image it is exactly what its pixels hold, each over its magnification; where n images lie on each other,
        an n-th of that. Their number is the coverage, rounded, but at most `seen`: parts of an image cover pixels that
        are not much larger than them unevenly.

        Args:
            values: flux per image pixel, shape (ny, nx) or (ny, nx, features).

        Returns:
            A number, or one per feature, in the unit of the values.
        """
        once = self.coverage / np.clip(np.rint(self.coverage), 1.0, np.maximum(self.seen, 1))
        area = once * float(self.grid.pixel_area) / float(self.image.pixel_area)
        mean = self.mean(values)
        return np.nansum(mean * (area if mean.ndim == 2 else area[..., None]), axis=(0, 1))

    def _flat(self, name: str, values: Any) -> tuple[np.ndarray, np.ndarray]:
        array = floats(name, values)
        if array.shape[:2] != tuple(self.image.shape) or array.ndim > 3:
            raise InputError(
                f"{name}: expected a map of the shape {tuple(self.image.shape)} of the image, found {array.shape}; "
                "cut it alike."
            )
        flat = array.reshape(array.shape[0] * array.shape[1], -1)
        return flat, np.isfinite(flat)

    def _shaped(self, flat: np.ndarray, values: Any) -> np.ndarray:
        return flat.reshape(*self.grid.shape, *np.shape(values)[2:])


def reconstruct(
    lens: Lens | None,
    grid: Grid,
    pixel: float,
    *,
    used: Any = None,
    plane: Grid | None = None,
    fine: int | None = None,
) -> Reconstruction:
    """Lays the pixels of an image over those of the source's plane.

    Every image pixel is cut into parts, whose middles and areas are traced: a part belongs to the source pixel in which
    its middle lands.

    Args:
        lens: a lens, or a `lens.Plane` of several behind which the source lies; None for none.
        grid: the image pixels on the sky.
        pixel: side of a source pixel, arcsec; below the traced size of image pixels nothing is gained.
        used: True for the image pixels that take part, shape (ny, nx); all by default. Of a source that is seen several
            times, one image each (see `of_images`).
        plane: the source pixels themselves; by default those of size `pixel` that hold all used image pixels.
        fine: parts along each side of an image pixel; by default as many as make them a third of a source pixel.

    Raises:
        InputError: if the size is not positive, nothing is used, or the lens knows nothing where it is.
    """
    pixel, mask = number("pixel", pixel, "(0, inf)", "arcsec"), as_mask(used, tuple(grid.shape))
    parts = trace(lens, grid, _count(lens, grid, pixel, mask, fine))
    return _laid(parts, mask, _around([(parts, mask)], pixel) if plane is None else plane)


def of_images(
    lens: Lens | None, grid: Grid, labels: Any, pixel: float, *, fine: int | None = None
) -> dict[int, Reconstruction]:
    """Each image of a source that is seen several times by itself, all on the same source pixels.

    Args:
        lens: as `reconstruct`.
        grid: the image pixels.
        labels: whole numbers, shape (ny, nx): which image a pixel belongs to; 0 and below for none.
        pixel: side of a source pixel, arcsec.
        fine: as `reconstruct`.

    Raises:
        InputError: as `reconstruct`.
    """
    pixel, labels = number("pixel", pixel, "(0, inf)", "arcsec"), np.asarray(labels)
    masks = {int(one): as_mask(labels == one, tuple(grid.shape)) for one in np.unique(labels) if one > 0}
    counts = {name: _count(lens, grid, pixel, mask, fine) for name, mask in masks.items()}
    traced = {count: trace(lens, grid, count) for count in set(counts.values())}
    cut = {name: (traced[counts[name]], mask) for name, mask in masks.items()}
    if not cut:
        raise InputError("labels: expected some image pixels above 0, found none; check the labels.")
    plane = _around(list(cut.values()), pixel)
    return {name: _laid(*one, plane) for name, one in cut.items()}


def disagreement(images: Mapping[Any, Reconstruction], values: Any, sigma: Any) -> dict[tuple[Any, Any], np.ndarray]:
    """Differences between the images of one source where two of them are, over their errors.

    Args:
        images: of `of_images`.
        values: flux per image pixel, shape (ny, nx).
        sigma: its errors.

    Returns:
        Pair of names -> (first - second) / error, NaN where one is missing, shape of the source pixels.
    """
    made = {name: one.measured(values, sigma) for name, one in images.items()}
    return {(a, b): (made[a][0] - made[b][0]) / np.hypot(made[a][1], made[b][1]) for a, b in combinations(made, 2)}


def _count(lens: Lens | None, grid: Grid, pixel: float, mask: np.ndarray, fine: int | None) -> int:
    """Parts along a side of an image pixel, small enough for source pixels."""
    return parts_for(lens, grid, pixel, mask) if fine is None else fine


def _laid(parts: TracedPixels, mask: np.ndarray, plane: Grid) -> Reconstruction:
    overlap, seen = _overlap(parts, mask, plane)
    return Reconstruction(image=parts.grid, grid=plane, overlap=overlap, used=mask, seen=seen)


def _around(cut: Sequence[tuple[TracedPixels, np.ndarray]], pixel: float) -> Grid:
    """Pixels with corners at multiples of their size that hold the parts of all used pixels."""
    known = [(parts, parts.on_parts(mask) & np.isfinite(parts.area)) for parts, mask in cut]
    x = np.concatenate([parts.x[inside] for parts, inside in known])
    y = np.concatenate([parts.y[inside] for parts, inside in known])
    if not x.size:
        raise InputError("The lens must know the deflection of some used pixel, but knows none; use a larger map.")
    low = [int(np.floor(axis.min() / pixel)) for axis in (x, y)]
    high = [int(np.floor(axis.max() / pixel)) + 1 for axis in (x, y)]
    nx, ny = (b - a for a, b in zip(low, high, strict=True))
    if nx * ny > MOST_PIXELS:
        raise InputError(
            f"pixel: {pixel:g} arcsec makes a source map of {ny} x {nx} pixels, more than {MOST_PIXELS:,}; "
            "use larger ones, or mask what lies far away."
        )
    return Grid(shape=(ny, nx), origin=pixel * (np.array(low) + 0.5), matrix=pixel * np.eye(2))


def _overlap(parts: TracedPixels, mask: np.ndarray, plane: Grid) -> tuple[csr_array, np.ndarray]:
    """Areas of the parts of image pixels in source pixels, and how many regions of the image land in each of these."""
    ny, nx = plane.shape
    column, row = (np.floor(np.nan_to_num(one, nan=-9.0) + 0.5) for one in plane.to_pixel(parts.x, parts.y))
    used = parts.on_parts(mask) & np.isfinite(parts.area)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny) & used
    place = row[inside].astype(int) * nx + column[inside].astype(int)
    number = parts.on_parts(np.arange(mask.size).reshape(mask.shape))
    overlap = csr_array((np.abs(parts.area[inside]), (place, number[inside])), shape=(ny * nx, mask.size))
    regions = _regions(used, parts.area)[inside].astype(np.int64)
    landed = np.unique(regions * (ny * nx) + place) % (ny * nx)
    return overlap, np.bincount(landed, minlength=ny * nx).reshape(ny, nx)


def _regions(used: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Numbers of the connected regions of either parity; neighbours across a corner are connected."""
    upright, count = label(used & (area >= 0.0), structure=np.ones((3, 3)))
    mirrored, _ = label(used & (area < 0.0), structure=np.ones((3, 3)))
    return np.where(mirrored > 0, mirrored + count, upright)
