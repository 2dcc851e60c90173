"""What to know before using the draws of a fit: how its chains went, angles, hits on prior bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.chains import Chains, judge
from jaxmetal.edge.findings import Finding

PERIODIC = {"pa": 180.0}
"""Parameters that are angles, by the last part of their name, and their period in degrees."""


def unwrap(draws: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draws with angles folded to within half a period of their best value, so that means and R-hat make sense."""
    return {name: _unwrap(values, best[name], PERIODIC.get(name.rsplit(".", 1)[-1])) for name, values in draws.items()}


def diagnose(draws: Mapping[str, np.ndarray], chains: Chains, sites: Mapping[str, Distribution]) -> list[Finding]:
    """What is wrong with the draws, one finding each."""
    hits = [hit for name, values in draws.items() for hit in _bound_hits(name, values, sites[name])]
    return judge(draws, chains) + hits


def prior_warnings(sites: Mapping[str, Distribution]) -> list[Finding]:
    """Priors that decide the answer: slopes that cannot change sign."""
    found = []
    for name, prior in sites.items():
        low, high = bounds(prior)
        if name.rsplit(".", 1)[-1] in ("slope", "inner", "outer") and (np.any(low >= 0.0) or np.any(high <= 0.0)):
            found.append(
                Finding(
                    "warning",
                    f"The prior of '{name}' allows one sign only, which biases flat gradients; "
                    "use one that is open on both sides.",
                )
            )
    return found


def bounds(prior: Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of a prior's support, infinite where it has none."""
    support: Any = prior.support
    low = getattr(support, "lower_bound", -np.inf)
    high = getattr(support, "upper_bound", np.inf)
    return np.asarray(low, float), np.asarray(high, float)


def _bound_hits(name: str, values: np.ndarray, prior: Distribution) -> list[Finding]:
    low, high = bounds(prior)
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        return []
    period = PERIODIC.get(name.rsplit(".", 1)[-1])
    values = values if period is None else low + np.mod(values - low, period)
    place = (values - low) / (high - low)
    share = max(float(np.mean(place < 0.02)), float(np.mean(place > 0.98)))
    if share <= 0.04:
        return []
    return [
        Finding(
            "warning",
            f"'{name}' piles up at a bound of its prior ({100 * share:.0f} % of draws in the outer 2 %); "
            "widen the prior or say why not.",
        )
    ]


def _unwrap(values: np.ndarray, best: np.ndarray, period: float | None) -> np.ndarray:
    if period is None:
        return values
    return best + np.mod(values - best + period / 2.0, period) - period / 2.0
