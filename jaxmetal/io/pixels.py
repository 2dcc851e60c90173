"""Whether two maps have the same pixels."""

from __future__ import annotations

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.fits import Map
from jaxmetal.numerics.grid import Grid

APART = 0.1
"""Largest distance between the pixels of two maps, in pixels, that is still none: headers are rounded."""


def distance(a: Grid, b: Grid) -> float:
    """How far the pixels of two grids of one shape lie apart at most, in pixels of the first."""
    rows, columns = (np.array([0.0, n - 1.0]) for n in a.shape)
    column, row = (corners.ravel() for corners in np.meshgrid(columns, rows))
    found_column, found_row = a.to_pixel(*b.to_sky(column, row))
    return float(np.max(np.hypot(found_column - column, found_row - row)))


def require_same_pixels(data: Map, other: Map, where: str) -> tuple[Finding, ...]:
    """Refuses a map that is not of the pixels of the data.

    Args:
        data: the map to which it belongs.
        other: of errors, flags, bins, ...
        where: what it is, for the sentence.

    Returns:
        What is to be said where only one of the two has world coordinates, so that their shape is all that is known.

    Raises:
        InputError: if it has another shape, or lies elsewhere on the sky or in another direction.
    """
    if other.values.shape != data.values.shape:
        differ = f"the shape {other.values.shape} instead of {data.values.shape}"
    elif not (data.on_sky and other.on_sky):
        return _unknown(data, other, where)
    else:
        apart = _apart(data, other)
        if apart <= APART:
            return ()
        differ = f"other world coordinates, up to {apart:.3g} pixels away,"
    raise InputError(
        f"{where}: expected the pixels of {data.path}, found {differ} in {other.path}; resample one, or correct its "
        "header."
    )


def _unknown(data: Map, other: Map, where: str) -> tuple[Finding, ...]:
    if data.on_sky == other.on_sky:
        return ()
    bare = other if data.on_sky else data
    text = f"{where}: {bare.path} has no world coordinates, so that it is taken to have the pixels of the data by its "
    return (Finding("info", f"{text}shape alone."),)


def _apart(data: Map, other: Map) -> float:
    """In pixels; infinity for another part of the sky."""
    origin = data.origin()
    try:
        return distance(data.grid(origin), other.grid(origin))
    except InputError:
        if origin.separation(other.origin()).deg < 1.0:
            raise
        return np.inf
