"""The free numbers of a fit, one by one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from jaxmetal.numerics.convergence import effective_samples, r_hat
from jaxmetal.posterior import Posterior

QUANTILES = {"q025": 0.025, "q16": 0.16, "median": 0.5, "q84": 0.84, "q975": 0.975}
"""Name of a quantile -> the probability below it: median, 68 % and 95 % intervals."""

FEWEST = 4
"""Draws of a chain from which R-hat and effective samples can be told."""


class Parameter:
    """A free number, or one element of a free array; what is said of its draws is computed when first asked for.

    Attributes:
        site: name of the parameter that it belongs to.
        label: the site, with the place of the element in brackets.
        draws: shape (chains, draws).
        best: at the maximum of the posterior density.
    """

    def __init__(self, site: str, index: tuple[int, ...], draws: np.ndarray, best: float) -> None:
        self.site, self.draws, self.best = site, draws, best
        self.label = site + (f"[{','.join(map(str, index))}]" if index else "")

    @property
    def short(self) -> bool:
        """Whether the chains are too short for R-hat and effective samples."""
        return self.draws.shape[1] < FEWEST

    @cached_property
    def mean(self) -> float:
        """Mean of the draws."""
        return float(np.ravel(self.draws).mean())

    @cached_property
    def sd(self) -> float:
        """Standard deviation of the draws."""
        return float(np.ravel(self.draws).std())

    @cached_property
    def quantiles(self) -> dict[str, float]:
        """Those of `QUANTILES`, by their names."""
        return dict(zip(QUANTILES, np.quantile(self.draws, list(QUANTILES.values())).tolist(), strict=True))

    @cached_property
    def r_hat(self) -> float:
        """Rank-normalised split R-hat; NaN for chains too short."""
        return np.nan if self.short else r_hat(self.draws)

    @cached_property
    def ess(self) -> float:
        """Effective samples; NaN for chains too short."""
        return np.nan if self.short else effective_samples(self.draws)


def parameters(posterior: Posterior) -> list[Parameter]:
    """Every free number of a fit, in the order of its draws."""
    return [
        Parameter(site, index, values[(slice(None), slice(None), *index)], float(posterior.best[site][index]))
        for site, values in posterior.draws.items()
        for index in np.ndindex(values.shape[2:])
    ]
