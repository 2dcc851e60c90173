"""Data that a fit can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.arrays import require_computable, require_finite, require_shape
from jaxmetal.edge.errors import InputError


def require_data(observations: Mapping[str, Any], is_free: Callable[[Any], bool]) -> None:
    """Refuses observations without a used datum, whose fit would return the prior, and used data that are not finite.

    Args:
        observations: name -> observation, with `data`, `used` and `noise`.
        is_free: whether a leaf of the noise is a distribution, and not a number.

    Raises:
        InputError: naming the observation, and how many of its data.
    """
    for name, observation in observations.items():
        used, data = np.asarray(observation.used, bool), np.asarray(observation.data)
        require_shape(f"used of '{name}'", used, data.shape)
        require_finite(f"data of '{name}'", data, used)
        require_computable(f"data of '{name}'", data, used)
        for errors in jax.tree.leaves(observation.noise, is_leaf=is_free):
            if not is_free(errors) and np.shape(errors) == used.shape:
                require_finite(f"noise of '{name}'", np.asarray(errors), used)
                require_computable(f"noise of '{name}'", np.asarray(errors), used)
    if not any(np.any(observation.used) for observation in observations.values()):
        found = ", ".join(f"'{name}' masked everywhere" for name in observations) or "no observation"
        raise InputError(
            f"observations: expected some data that are used, found {found}; give some, or the fit is its prior."
        )
