"""The free numbers of a fit, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from jaxmetal.numerics.convergence import effective_samples, r_hat

SINGLE = 1
"""Draws that are none: the best value alone, which has no mean, no width and no quantiles."""

QUANTILES = {"q025": 0.025, "q16": 0.16, "median": 0.5, "q84": 0.84, "q975": 0.975}
"""Name of a quantile -> the probability below it: median, 68 % and 95 % intervals."""

FEWEST = 4
"""Draws of a chain from which R-hat and effective samples can be told."""


def quantiles(draws: np.ndarray, below: Sequence[float], axis: int | None = None) -> np.ndarray:
    """Values below which these shares of draws, along an axis or of all, lie; NaN of a single draw."""
    found = np.quantile(draws, below, axis=axis)
    return found if (np.size(draws) if axis is None else draws.shape[axis]) > SINGLE else np.full_like(found, np.nan)


class Parameter:
    """A free number, or one element of a free array; what is said of its draws is computed when first asked for.

    Without draws, of the best value alone, nothing is: mean, standard deviation and quantiles are NaN.

    Attributes:
        site: name of the parameter that it belongs to.
        label: the site, with the place of the element in brackets.
        draws: shape (chains, draws); angles within half their period of the best value.
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
        return float(np.ravel(self.draws).mean()) if self.draws.size > SINGLE else np.nan

    @cached_property
    def sd(self) -> float:
        """Standard deviation of the draws."""
        return float(np.ravel(self.draws).std()) if self.draws.size > SINGLE else np.nan

    @cached_property
    def quantiles(self) -> dict[str, float]:
        """Those of `QUANTILES`, by their names."""
        return dict(zip(QUANTILES, quantiles(self.draws, list(QUANTILES.values())).tolist(), strict=True))

    @cached_property
    def r_hat(self) -> float:
        """Rank-normalised split R-hat; NaN for chains too short."""
        return np.nan if self.short else r_hat(self.draws)

    @cached_property
    def ess(self) -> float:
        """Effective samples; NaN for chains too short."""
        return np.nan if self.short else effective_samples(self.draws)


def parameters(draws: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray]) -> list[Parameter]:
    """Every free number of a fit, in the order of its draws (chains, draws, ...)."""
    return [
        Parameter(site, index, values[(slice(None), slice(None), *index)], float(best[site][index]))
        for site, values in draws.items()
        for index in np.ndindex(values.shape[2:])
    ]
