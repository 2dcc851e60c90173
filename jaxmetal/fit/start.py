"""Where a user wants the optimiser to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.errors import InputError


def require_possible(sites: Mapping[str, Distribution], start: Mapping[str, Any]) -> None:
    """Refuses a start that no draw of the prior could have.

    Args:
        sites: free parameters and their priors.
        start: parameter name -> value.

    Raises:
        InputError: if a name is not free, or a value lies outside its prior.
    """
    for name, value in start.items():
        if name not in sites:
            raise InputError(
                f"The start names '{name}', which is not free; the free parameters are {', '.join(sites)}."
            )
        with np.errstate(all="ignore"):
            inside = np.all(np.asarray(sites[name].support(jnp.asarray(value, float))))
        if not inside or np.shape(value) != sites[name].shape():
            raise InputError(
                f"The start of '{name}' lies outside its prior, {value} is not within {_support(sites[name])}; "
                "move it inside."
            )


def _support(prior: Distribution) -> str:
    low, high = (getattr(prior.support, f"{end}_bound", None) for end in ("lower", "upper"))
    if low is None and high is None:
        return f"{type(prior).__name__} of shape {prior.shape()}"
    return f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"
