"""Whether draws can be used: divergences, R-hat, effective samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from jaxmetal.chains.driver import Chains
from jaxmetal.edge.findings import Finding
from jaxmetal.numerics.convergence import effective_samples, r_hat

R_HAT = 1.01
ESS = 400.0

MANY = 2000
"""Draws from which both are aimed at; of fewer, R-hat scatters by more, and too few can be effective."""


class Quality(NamedTuple):
    """Of a parameter's draws: the worst of its elements."""

    r_hat: float
    effective: float


def measure(draws: Mapping[str, np.ndarray]) -> dict[str, Quality]:
    """R-hat and effective samples of every parameter; draws are (chains, draws, ...)."""
    return {name: Quality(r_hat(values), effective_samples(values)) for name, values in draws.items()}


def r_hat_limit(draws: int) -> float:
    """1.01, and some 10 over the number of draws, by which R-hat scatters even between perfect chains."""
    return R_HAT + 10.0 / draws


def converged(qualities: Mapping[str, Quality], chains: Chains) -> bool:
    """No divergence, every R-hat below its limit, every effective sample size above 400 or a tenth of the draws."""
    total = chains.diverging.size
    return not chains.diverging.any() and _within(qualities, r_hat_limit(total), min(ESS, 0.1 * total))


def reached(qualities: Mapping[str, Quality], chains: Chains) -> bool:
    """Whether sampling can stop: every R-hat below 1.01, every effective sample size above 400."""
    total = chains.diverging.size
    return _within(qualities, R_HAT, ESS) if total >= MANY else converged(qualities, chains)


def judge(draws: Mapping[str, np.ndarray], qualities: Mapping[str, Quality], chains: Chains) -> list[Finding]:
    """What is wrong with the draws, one finding each."""
    found = []
    divergent = int(chains.diverging.sum())
    if divergent:
        text = (
            f"{divergent} of {chains.diverging.size} draws diverged; "
            "raise target_accept ([fit] of a TOML file; --target-accept of `population`) towards 1, narrow the priors "
            "or reparametrise before using them."
        )
        found.append(Finding("warning", text))
    infinite = [name for name, values in draws.items() if not np.all(np.isfinite(values))]
    found += [Finding("error", f"Draws of '{name}' are not finite; do not use this fit.") for name in infinite]
    moving = {name: qualities[name] for name, values in draws.items() if name not in infinite and np.ptp(values) > 0}
    return found + list(_unmixed(moving, r_hat_limit(chains.diverging.size)))


def _within(qualities: Mapping[str, Quality], limit: float, least: float) -> bool:
    return all(one.r_hat < limit and one.effective > least for one in qualities.values())


def _unmixed(qualities: Mapping[str, Quality], limit: float) -> Iterator[Finding]:
    """R-hat and effective samples, a finding each: of the worst parameter, and how many others there are."""
    apart = {name: one.r_hat for name, one in qualities.items() if one.r_hat >= limit}
    if apart:
        name = max(apart, key=lambda one: apart[one])
        text = f"R-hat of '{name}'{_others(apart)} is {apart[name]:.3f} (should be below {limit:.3f})"
        yield Finding("warning", f"{text}; run longer chains (more draws).")
    few = {name: one.effective for name, one in qualities.items() if one.effective < ESS}
    if few:
        name = min(few, key=lambda one: few[one])
        text = f"'{name}'{_others(few)} has only {few[name]:.0f} effective samples ({ESS:.0f} wanted)"
        yield Finding("warning", f"{text}; run longer chains (more draws).")


def _others(found: Mapping[str, float]) -> str:
    return f", the worst of {len(found)} parameters," if len(found) > 1 else ""
