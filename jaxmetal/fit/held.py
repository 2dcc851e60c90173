"""What is held while a maximum is sought: the scatter and the length of a field that is itself free.

The more a field may scatter, the less its weights need to: the joint maximum lies where the scatter is far too large
and the field follows the noise, away from nearly all of the posterior. So the maximum is that of everything else, with
the scatter and the length at the medians of their priors, and chains set them free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.fit.coordinates import coordinates
from jaxmetal.fit.quantiles import quantiles
from jaxmetal.meaning import COEFFICIENT, meanings

HELD = ("scatter of a field", "correlation length")
"""Roles of what is held, where there are coefficients that it rules."""

PULL = 1e6
"""Precision by which the standard normal number of a held parameter is drawn to 0, the median of its prior."""


def pulls(skeleton: Mapping[str, Any], sites: Mapping[str, Distribution]) -> np.ndarray:
    """For each number of the unconstrained vector, `PULL` where it is held and 0 elsewhere."""
    known = meanings(skeleton)
    ruled = any(one.role == COEFFICIENT for one in known.values())
    drawn = {site: ruled and known[site].role in HELD and quantiles(sites[site]) is not None for site in sites}
    found = [np.full(int(np.prod(coordinates(sites[site]).shape)), PULL * drawn[site]) for site in sites]
    return np.concatenate(found).astype(jnp.result_type(float))
