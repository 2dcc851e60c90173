"""Data that a fit can use, checked at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.arrays import require_shape
from jaxmetal.edge.errors import InputError
from jaxmetal.prior import is_site


def require_data(observations: Mapping[str, Any]) -> None:
    """Refuses observations without a used datum, whose fit would return the prior, and used data that are not finite.

    Args:
        observations: name -> `Image` or `WeightedMap`.

    Raises:
        InputError: naming the observation, and how many of its data.
    """
    for name, observation in observations.items():
        used, data = np.asarray(observation.used, bool), np.asarray(observation.data)
        require_shape(f"used of '{name}'", used, data.shape)
        _require_finite(f"data of '{name}'", data, used)
        for errors in jax.tree.leaves(observation.noise, is_leaf=is_site):
            if not is_site(errors) and np.shape(errors) == used.shape:
                _require_finite(f"noise of '{name}'", np.asarray(errors), used)
    if not any(np.any(observation.used) for observation in observations.values()):
        found = ", ".join(f"'{name}' masked everywhere" for name in observations) or "no observation"
        raise InputError(
            f"observations: expected some data that are used, found {found}; give some, or the fit is its prior."
        )


def _require_finite(name: str, values: np.ndarray, used: np.ndarray) -> None:
    bad = int(np.sum(used & ~np.isfinite(values)))
    if bad:
        raise InputError(
            f"{name}: expected finite numbers wherever `used` is True, found {bad} of {int(used.sum())} that are not; "
            "set `used` to False there."
        )
