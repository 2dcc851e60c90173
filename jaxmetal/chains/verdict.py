"""Whether draws can be used: divergences, R-hat, effective samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from jaxmetal.chains.driver import Chains
from jaxmetal.edge.findings import Finding
from jaxmetal.numerics.convergence import effective_samples, r_hat

R_HAT = 1.01
ESS = 400.0


def r_hat_limit(draws: int) -> float:
    """1.01, and some 10 over the number of draws, by which R-hat scatters even between perfect chains."""
    return R_HAT + 10.0 / draws


def converged(draws: Mapping[str, np.ndarray], chains: Chains) -> bool:
    """No divergence, every R-hat below its limit, every effective sample size above 400 or a tenth of the draws."""
    total = chains.diverging.size
    return (
        not chains.diverging.any()
        and all(r_hat(values) < r_hat_limit(total) for values in draws.values())
        and all(effective_samples(values) > min(ESS, 0.1 * total) for values in draws.values())
    )


def judge(draws: Mapping[str, np.ndarray], chains: Chains) -> list[Finding]:
    """What is wrong with the draws, one finding each."""
    found = []
    divergent = int(chains.diverging.sum())
    if divergent:
        text = (
            f"{divergent} of {chains.diverging.size} draws diverged; "
            "raise target_accept towards 1, narrow the priors or reparametrise before using them."
        )
        found.append(Finding("warning", text))
    return found + [one for name, values in draws.items() for one in _each(name, values, chains.diverging.size)]


def _each(name: str, values: np.ndarray, total: int) -> Iterator[Finding]:
    if not np.all(np.isfinite(values)):
        yield Finding("error", f"Draws of '{name}' are not finite; do not use this fit.")
        return
    if np.ptp(values) == 0:
        return
    split, limit, effective = r_hat(values), r_hat_limit(total), effective_samples(values)
    if split >= limit:
        text = f"R-hat of '{name}' is {split:.3f} (should be below {limit:.3f}); run longer chains (more draws)."
        yield Finding("warning", text)
    if effective < ESS:
        text = f"'{name}' has only {effective:.0f} effective samples ({ESS:.0f} wanted); run longer chains"
        yield Finding("warning", f"{text} (more draws).")
