"""Arrays, masks, grids and counts that users hand over."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.quantities import plain

LARGEST, SMALLEST = 1e30, 1e-100
"""Sizes of numbers that can be computed with, whatever they are, but for 0."""


def floats(name: str, values: Any, unit: Any = "") -> np.ndarray:
    """A float64 array; masked entries become NaN, and quantities numbers in a unit.

    Raises:
        InputError: if the entries are not real numbers, or quantities of another dimension.
    """
    values = plain(name, values, unit)
    if hasattr(values, "filled") and not np.ma.isMaskedArray(values):  # a masked quantity of astropy
        values = values.filled(np.nan)
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        raise InputError(
            f"{name}: expected an array of real numbers, found {_kind(values)}; convert it first."
        ) from None


def as_map(name: str, values: Any, unit: Any = "") -> np.ndarray:
    """A 2-D array with at least one finite entry.

    Raises:
        InputError: if it is anything else.
    """
    array = floats(name, values, unit)
    if array.ndim != 2:
        raise InputError(f"{name}: expected a 2-D array (ny, nx), found shape {array.shape}; give one plane.")
    require_some(name, array)
    return array


def require_some(name: str, array: np.ndarray) -> None:
    """Refuses an array without a single finite entry."""
    if not np.isfinite(array).any():
        raise InputError(
            f"{name}: expected some finite values, found none in shape {array.shape}; check the file or the mask."
        )


def booleans(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A boolean array; masked entries are False.

    Raises:
        InputError: if it is not boolean (of numbers NaN would be True), or has another shape.
    """
    mask = np.ma.filled(values, False)
    if mask.dtype != bool:
        raise InputError(
            f"{name}: expected booleans (True for pixels that count), found {mask.dtype}; write e.g. `flags == 0`."
        )
    require_shape(name, mask, shape)
    return mask


def as_mask(used: Any, shape: tuple[int, ...], name: str = "used") -> np.ndarray:
    """A boolean array with at least one True; all True by default.

    Raises:
        InputError: if it is not boolean, has another shape or is False everywhere.
    """
    mask = np.ones(shape, bool) if used is None else booleans(name, used, shape)
    if not mask.any():
        raise InputError(f"{name}: expected at least one True, found none among {mask.size}; check the mask.")
    return mask


def require_count(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuses what is not a whole number of at least `least` and at most `most`."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upto = "" if most is None else f" and at most {most}"
        raise InputError(
            f"{name}: expected a whole number of at least {least}{upto}, found {shown(value)}; correct it."
        )


def require_pixels(name: str, shape: Any) -> None:
    """Refuses what is not two numbers of pixels (ny, nx), each at least 1."""
    if not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise InputError(f"{name}: expected two numbers of pixels (ny, nx), found {shown(shape)}; correct it.")
    for axis, count in zip(("ny", "nx"), shape, strict=True):
        require_count(f"{axis} of {name}", count, 1)


def require_seed(seed: Any) -> None:
    """Refuses a seed that is not a whole number, negative, or more than files of results can hold."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise InputError(f"The seed must be a whole number from 0 to 2^63 - 1, found {shown(seed)}; choose another.")


def require_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Refuses an array of another shape than the data's."""
    if array.shape != shape:
        raise InputError(
            f"{name}: expected the shape {shape} of the data, found {array.shape}; give one entry per datum."
        )


def as_grid(grid: Grid | None, pixel_scale: Any, shape: tuple[int, int]) -> Grid:
    """The pixels: a `Grid`, or square pixels of `pixel_scale` arcsec around the origin.

    Raises:
        InputError: unless exactly one is given, and it fits the shape.
    """
    if (grid is None) == (pixel_scale is None):
        found = "neither" if grid is None else "both"
        raise InputError(f"Expected either `grid` or `pixel_scale` (arcsec), found {found}; give exactly one.")
    pixel_scale = plain("pixel_scale", pixel_scale, "arcsec", "arcsec/pixel")
    if grid is not None:
        if tuple(grid.shape) != shape:
            raise InputError(
                f"grid: expected the shape {shape} of the data, found {tuple(grid.shape)}; make it for this map."
            )
        return grid
    if not (isinstance(pixel_scale, (int, float, np.number)) and np.isfinite(pixel_scale) and pixel_scale > 0):
        raise InputError(
            f"pixel_scale: expected a positive number of arcsec, found {pixel_scale!r}; give the size of a pixel."
        )
    return Grid.regular(shape, float(pixel_scale))


def require_finite(name: str, values: np.ndarray, used: np.ndarray) -> None:
    """Refuses numbers that are used and not finite."""
    bad = int(np.sum(used & ~np.isfinite(values)))
    if bad:
        raise InputError(
            f"{name}: expected finite numbers wherever `used` is True, found {bad} of {int(used.sum())} that are not; "
            "set `used` to False there."
        )


def require_computable(name: str, values: np.ndarray, used: np.ndarray) -> None:
    """Refuses numbers that are used and beyond what can be squared and divided by."""
    size = np.abs(np.where(used & np.isfinite(values), values, 0.0))
    bad = (size > LARGEST) | ((size > 0.0) & (size < SMALLEST))
    if bad.any():
        raise InputError(
            f"{name}: expected numbers between {SMALLEST:g} and {LARGEST:g}, found {int(bad.sum())} beyond, such as "
            f"{np.asarray(values)[bad].flat[0]:g}; set `used` to False or NaN there, or change their unit."
        )


def require_squarable(name: str, values: Any, used: np.ndarray, *, divided: bool) -> None:
    """Refuses numbers that are used and whose squares are beyond JAX's precision, as it is set.

    Args:
        name: of the numbers, for the sentence.
        values: of the shape of `used`, or one for all.
        used: boolean, True for data that count.
        divided: whether their squares are divided by, and must not vanish.
    """
    precision = jnp.finfo(jnp.result_type(float))
    smallest, largest = (float(end) ** 0.5 for end in (precision.tiny, precision.max))
    size = np.abs(np.asarray(values, float))
    bad = used & np.isfinite(size) & ((size > largest) | (divided & (size > 0.0) & (size < smallest)))
    if bad.any():
        ends = f"between {smallest:.2g} and {largest:.2g}" if divided else f"up to {largest:.2g}"
        single = jnp.result_type(float) == jnp.float32
        raise InputError(
            f"{name}: expected numbers {ends}, the limits of {'single' if single else 'double'} precision, found "
            f"{int(bad.sum())} beyond, such as {np.broadcast_to(size, bad.shape)[bad].flat[0]:.3g}; change their unit"
            f"{', or use double precision' if single else ''}."
        )


def _kind(values: Any) -> str:
    return f"dtype {values.dtype}" if hasattr(values, "dtype") else type(values).__name__


def is_number(text: Any) -> bool:
    """Whether something is a number, or is written as one."""
    try:
        float(text)
    except ValueError:
        return False
    return True
