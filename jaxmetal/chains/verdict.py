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
            "raise target_accept (--target-accept of `population`) towards 1, narrow the priors or reparametrise "
            "before using them."
        )
        found.append(Finding("warning", text))
    total = chains.diverging.size
    return found + [one for name, values in draws.items() for one in _each(name, values, qualities[name], total)]


def _within(qualities: Mapping[str, Quality], limit: float, least: float) -> bool:
    return all(one.r_hat < limit and one.effective > least for one in qualities.values())


def _each(name: str, values: np.ndarray, quality: Quality, total: int) -> Iterator[Finding]:
    if not np.all(np.isfinite(values)):
        yield Finding("error", f"Draws of '{name}' are not finite; do not use this fit.")
        return
    if np.ptp(values) == 0:
        return
    limit = r_hat_limit(total)
    if quality.r_hat >= limit:
        text = f"R-hat of '{name}' is {quality.r_hat:.3f} (should be below {limit:.3f}); run longer chains"
        yield Finding("warning", f"{text} (more draws).")
    if quality.effective < ESS:
        text = f"'{name}' has only {quality.effective:.0f} effective samples ({ESS:.0f} wanted); run longer chains"
        yield Finding("warning", f"{text} (more draws).")
