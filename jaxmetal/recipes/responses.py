"""What all data of a map share, from arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpyro.distributions as dist

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.observation import Response


def responses(
    shared: Mapping[str, Any], used: np.ndarray, bins: Bins | None, shape: tuple[int, ...], unit: Any
) -> dict[str, Response]:
    """Line ratio -> response, its departure standard normal.

    Args:
        shared: line ratio -> by how much each datum moves if the gas departs from its calibration by the scatter; like
            the values of the map.
        used: which data count.
        bins: of the data, if any.
        shape: of the values as they were given.
        unit: of the data.

    Raises:
        InputError: if a map has another shape, or no number where there are data.
    """
    return {ratio: _response(f"shared of {ratio}", one, used, bins, shape, unit) for ratio, one in shared.items()}


def _response(
    name: str, given: Any, used: np.ndarray, bins: Bins | None, shape: tuple[int, ...], unit: Any
) -> Response:
    moved = floats(name, given, unit)
    if moved.shape != shape:
        raise InputError(f"{name}: expected the shape {shape} of the values, found {moved.shape}; give one per value.")
    if bins is not None:
        moved = per_bin(name, moved, np.asarray(bins.labels), bins.n)
    lost = int((used & ~np.isfinite(moved)).sum())
    if lost:
        raise InputError(
            f"{name}: expected a number wherever there are data, found none for {lost} of "
            f"{int(used.sum())}; mask these."
        )
    return Response(per_scatter=np.where(used, moved, 0.0), departure=dist.Normal(0.0, 1.0))
