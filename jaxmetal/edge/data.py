"""Data that a fit can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.arrays import require_computable, require_finite, require_shape, require_squarable
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import declared, inside


def require_data(observations: Mapping[str, Any], is_free: Callable[[Any], bool]) -> None:
    """Refuses observations without a used datum, whose fit would return the prior, and used data that cannot be.

    Args:
        observations: name -> observation, with `data`, `used` and `noise`.
        is_free: whether a leaf of the noise is a distribution, and not a number.

    Raises:
        InputError: naming the observation, and how many of its data: not finite, beyond JAX's precision, or with
            numbers of the noise that have no place beside them or lie outside the range of their field.
    """
    for name, observation in observations.items():
        used, data = np.asarray(observation.used, bool), np.asarray(observation.data)
        require_shape(f"used of '{name}'", used, data.shape)
        require_finite(f"data of '{name}'", data, used)
        require_computable(f"data of '{name}'", data, used)
        require_squarable(f"data of '{name}'", data, used, divided=False)
        _require_noise(name, observation.noise, used)
        for errors in jax.tree.leaves(observation.noise, is_leaf=is_free):
            if not is_free(errors) and np.shape(errors) == used.shape:
                require_finite(f"noise of '{name}'", np.asarray(errors), used)
                require_computable(f"noise of '{name}'", np.asarray(errors), used)
    if not any(np.any(observation.used) for observation in observations.values()):
        found = ", ".join(f"'{name}' masked everywhere" for name in observations) or "no observation"
        raise InputError(
            f"observations: expected some data that are used, found {found}; give some, or the fit is its prior."
        )


def _require_noise(name: str, noise: Any, used: np.ndarray) -> None:
    """A number of the noise for each datum lies in the range of its field, as a single one must.

    Errors that may not be 0 are divided by, and must be large enough for that.
    """
    for path, numbers, said in declared(noise):
        within, place = said["within"], f"{'.'.join(('noise', *path))} of '{name}'"
        if within is None:
            continue
        if np.ndim(numbers):
            _require_each(place, np.asarray(numbers), within, used)
        if said.get("unit") == "data" and not inside(within, 0.0):
            require_squarable(place, numbers, used, divided=True)


def _require_each(place: str, numbers: np.ndarray, within: str, used: np.ndarray) -> None:
    """One number, or one for each datum, wherever there are data within an interval."""
    try:
        numbers = np.broadcast_to(numbers, used.shape)
    except ValueError:
        raise InputError(
            f"{place}: expected a number, or one for each of the data of shape {used.shape}, found shape "
            f"{numbers.shape}; give it in their shape."
        ) from None
    outside = used & np.isfinite(numbers) & ~inside(within, numbers)
    if outside.any():
        raise InputError(
            f"{place}: expected numbers within {within} wherever there are data, found {outside.sum()} of "
            f"{used.sum()} outside, {numbers[outside][0]:g} among them; correct these, or mask their data."
        )
