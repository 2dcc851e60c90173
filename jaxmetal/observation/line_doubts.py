"""What of measured fluxes of lines can hardly be right."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from jaxmetal.lines.case_b import CLEAR, DECREMENT, below_case_b


def doubts(maps: Any) -> list[str]:
    """Maps of one line that are those of another, lines that are negative as a whole, Ha/Hb below case B.

    Args:
        maps: `LineMaps`.
    """
    data, used, names = np.asarray(maps.data), np.asarray(maps.used), maps.emission.features
    sigma = np.broadcast_to(np.asarray(maps.noise.standard_deviation(data, np.abs(data))), data.shape)
    found = [
        f"the maps of {names[i]} and {names[j]} hold the same numbers; one of them is another line's"
        for i, j in combinations(range(len(names)), 2)
        if used[i].any() and np.array_equal(data[i][used[i]], data[j][used[i]])
    ]
    for name, values, errors, here in zip(names, data, sigma, used, strict=True):
        flux, error = _sum(values, errors, here)
        if flux < -CLEAR * error:
            found.append(f"the fluxes of {name} sum to {flux:.3g} +- {error:.2g}, below zero; check sign and continuum")
    return found + _decrement(maps, data, sigma, used)


def _decrement(maps: Any, data: np.ndarray, sigma: np.ndarray, used: np.ndarray) -> list[str]:
    alone = maps.emission.alone
    if not set(DECREMENT) <= set(alone):
        return []
    places = [alone[name] for name in DECREMENT]
    here = np.logical_and(*used[places])
    text = below_case_b(*(_sum(data[k], sigma[k], here) for k in places))
    return [] if text is None else [f"{text} (sums of the maps); check which map is whose, and their scales"]


def _sum(flux: np.ndarray, sigma: np.ndarray, here: np.ndarray) -> tuple[float, float]:
    return float(flux[here].sum()), float(np.sqrt(np.sum(sigma[here] ** 2)))
