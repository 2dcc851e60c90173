"""Angles on their circles: what folds them, and where a prior says nothing about the turn that they are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpyro.distributions import Distribution, Uniform

from jaxmetal.prior import bounds, with_own_bounds

Periods = Mapping[str, Any]
"""Name of a parameter that is an angle -> its period in degrees, one number or one for each element."""


def folded(values: Any, about: Any, period: Any) -> np.ndarray:
    """Angles to within half a period of others, which the model does not tell apart; None leaves numbers as they are.

    Args:
        values: degrees.
        about: of their last axes' shape.
        period: degrees, one number or one for each element.
    """
    if period is None:
        return np.asarray(values)
    period = np.asarray(period)
    return np.asarray(about + np.mod(values - about + period / 2.0, period) - period / 2.0)


def unwrap(draws: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray], periods: Periods) -> dict[str, np.ndarray]:
    """Draws with angles folded to within half a period of their best value, so that means and R-hat make sense."""
    return {name: folded(values, best[name], periods.get(name)) for name, values in draws.items()}


def all_round(low: Any, high: Any, period: Any) -> Any:
    """Whether intervals are whole periods, but for rounding; arrays of NumPy or JAX."""
    turns = (high - low) / period
    return (turns > 0.5) & (abs(turns - turns.round()) < 1e-6 * turns)


def circles(prior: Distribution, period: Any) -> np.ndarray:
    """Which elements of a parameter have a prior that is uniform over whole periods, so that its bounds are none."""
    own = with_own_bounds(prior)
    if period is None or type(own) is not Uniform:
        return np.zeros(prior.shape(), bool)
    return np.broadcast_to(all_round(*bounds(own), np.asarray(period)), prior.shape())


def same_turn(values: np.ndarray, about: np.ndarray, prior: Distribution, period: Any) -> np.ndarray:
    """Values as they are, but on circles, where one turn is as good as another, on that of `about`."""
    return np.where(circles(prior, period), folded(values, about, period), values)


def at_home(values: np.ndarray, prior: Distribution, period: Any) -> np.ndarray:
    """Values as they are, but on circles, where one turn is as good as another, within the bounds of the prior."""
    inside = circles(prior, period)
    low, high = (np.where(inside, end, turn) for end, turn in zip(bounds(with_own_bounds(prior)), (0, 1), strict=True))
    return np.where(inside, low + np.mod(values - low, high - low), values)
