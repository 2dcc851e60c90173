"""What to know before using the draws of a fit: how its chains went, hits on prior bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.chains import Chains, Quality, judge
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.plausible import in_radians
from jaxmetal.meaning import SLOPES, meanings
from jaxmetal.meaning.circles import Periods, circles
from jaxmetal.prior import bounds, sites


def diagnose(
    draws: Mapping[str, np.ndarray],
    qualities: Mapping[str, Quality],
    chains: Chains,
    sites: Mapping[str, Distribution],
    periods: Periods,
) -> list[Finding]:
    """What is wrong with the draws, one finding each."""
    return judge(draws, qualities, chains) + at_bounds(draws, sites, periods)


def at_bounds(draws: Mapping[str, np.ndarray], sites: Mapping[str, Distribution], periods: Periods) -> list[Finding]:
    """Parameters whose draws, or whose best value alone, lie at a bound of their priors, one finding each."""
    return [hit for name, values in draws.items() for hit in _bound_hits(name, values, sites[name], periods.get(name))]


def prior_warnings(tree: Mapping[str, Any]) -> list[Finding]:
    """Priors of a scene and its observations that spoil the answer: slopes of one sign, angles in radians."""
    found, known = [], meanings(tree)
    for name, prior in sites(tree).items():
        low, high = bounds(prior)
        if known[name].role in SLOPES and (np.any(low >= 0.0) or np.any(high <= 0.0)):
            found.append(
                Finding(
                    "warning",
                    f"The prior of '{name}' allows one sign only, which biases flat gradients; "
                    "use one that is open on both sides.",
                )
            )
        if known[name].unit == "deg":
            for ends in {(float(a), float(b)) for a, b in zip(np.ravel(low), np.ravel(high), strict=True)}:
                found.extend(in_radians(name, *ends))
    return found


def _bound_hits(name: str, values: np.ndarray, prior: Distribution, period: Any) -> list[Finding]:
    low, high = bounds(prior)
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        return []
    place = np.where(circles(prior, period), 0.5, (values - low) / (high - low))
    share = max(float(np.mean(place < 0.02)), float(np.mean(place > 0.98)))
    if share <= 0.04:
        return []
    text = f"piles up at a bound of its prior ({100 * share:.0f} % of draws in the outer 2 %)"
    if np.shape(values)[:2] == (1, 1):
        text = "is best in the outer 2 % of its prior"
    return [Finding("warning", f"'{name}' {text}; widen the prior or say why not.")]
