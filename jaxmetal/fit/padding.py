"""Stamps of many sizes brought to few, so that their fits share one compiled program; padding is never used."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.numerics.lengths import longer
from jaxmetal.prior import is_site

FEW = 4
"""Different sizes that are worth a program each."""


def sizes(observations: Any) -> tuple[tuple[int, ...], ...]:
    """Shapes of all observations' grids and data."""
    return tuple((*one.grid.shape, *np.shape(one.data)) for _, one in sorted(observations.items()))


def worth_padding(found: Iterable[Any]) -> bool:
    """Whether there are so many different sizes that padding pays."""
    return len(set(found)) > FEW


def padded(observations: Mapping[str, Any]) -> dict[str, Any]:
    """Observations with their stamps, and the number of their bins, brought to one of few sizes."""
    return {name: _padded(observation) for name, observation in observations.items()}


def _padded(observation: Any) -> Any:
    shape, data = observation.grid.shape, np.shape(observation.data)
    wide = tuple(longer(n) for n in shape)
    bins = getattr(observation, "bins", None)
    full = wide if bins is None else tuple(longer(n) for n in data)
    if not _simple(observation.noise, data):
        return observation
    changes = {
        name: jax.tree.map(lambda leaf: _grown(leaf, data, full), getattr(observation, name), is_leaf=is_site)
        for name in ("data", "noise", "used")
    }
    if bins is not None:
        changes["bins"] = dataclasses.replace(bins, labels=_grown(bins.labels, shape, wide), n=full[0])
    return dataclasses.replace(observation, grid=dataclasses.replace(observation.grid, shape=wide), **changes)


def _simple(noise: Any, shape: tuple[int, ...]) -> bool:
    """Whether a noise knows its pixels by their place in maps of the data's shape only."""
    return all(np.shape(leaf) in ((), shape) for leaf in jax.tree.leaves(noise, is_leaf=is_site) if not is_site(leaf))


def _grown(leaf: Any, old: Collection[int], new: tuple[int, ...]) -> Any:
    """An array with more rows and columns at its ends: not used, in no bin, of the last known value."""
    if is_site(leaf) or np.shape(leaf) != old or not np.ndim(leaf):
        return leaf
    width = [(0, after - before) for before, after in zip(old, new, strict=True)]
    array = np.asarray(leaf)
    if array.dtype.kind == "f":
        return np.pad(array, width, mode="edge")
    return np.pad(array, width, constant_values=False if array.dtype == bool else -1)
