"""What to know before using the draws of a fit: how its chains went, hits on prior bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.chains import Chains, Quality, judge
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.plausible import in_radians
from jaxmetal.edge.ranges import ends
from jaxmetal.meaning import SLOPES, meanings
from jaxmetal.meaning.circles import Periods, circles
from jaxmetal.prior import bounds, sites

OUTSIDE, DRAWN = 0.01, 4000
"""Share of a prior, by so many draws, that may lie outside the range of its parameter without a word."""


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
    """Priors of a scene and its observations that spoil the answer.

    Slopes of one sign, angles in radians, and numbers beyond the range in which they mean something.
    """
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
            for both in {(float(a), float(b)) for a, b in zip(np.ravel(low), np.ravel(high), strict=True)}:
                found.extend(in_radians(name, *both))
        found.extend(_beyond(name, prior, known[name].within))
    return found


def _beyond(name: str, prior: Distribution, within: str | None) -> list[Finding]:
    """A warning where much of a prior lies outside the interval that its parameter can have."""
    low, high = (-np.inf, np.inf) if within is None else ends(within)
    least, most = bounds(prior)
    if np.all(least >= low) and np.all(most <= high):
        return []
    values = np.asarray(prior.sample(jax.random.key(0), (DRAWN,)))
    share = float(np.mean((values < low) | (values > high)))
    if share < OUTSIDE:
        return []
    text = f"{100 * share:.2g} % of the prior of '{name}' lie outside {within}, where it means nothing"
    return [Finding("warning", f"{text}; cut it there, as TruncatedNormal or by the bounds of Uniform.")]


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
