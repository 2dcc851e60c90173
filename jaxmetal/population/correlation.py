"""Spearman's rank correlation with an honest error."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
from scipy.special import betainc

from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.edge.errors import InputError
from jaxmetal.population.galaxies import Covariate, Draws, Measured

REPEATS = 1000
COUNTED = 8
"""Galaxies up to which all orders are counted for a probability."""


class Spearman(NamedTuple):
    """A rank correlation.

    Attributes:
        observed: of the values as measured.
        low, median, high: 16, 50 and 84 % quantiles when galaxies are drawn again with replacement and values within
            their errors (the composite method of Curran 2014, arXiv:1411.3816). Errors weaken a correlation: the median
            lies nearer to 0 than the true correlation does.
        share_positive: share of these that are above 0.
        p_value: probability that values as measured which do not correlate are as far from 0 as `observed`, on either
            side; errors are not in it. t = rho sqrt((n - 2) / (1 - rho^2)) has Student's distribution of n - 2 degrees
            of freedom (Zar 1972, J. Am. Stat. Assoc. 67, 578), which is good from ten galaxies on. Of eight or fewer
            all orders are counted instead; NaN below three.
    """

    observed: float
    low: float
    median: float
    high: float
    share_positive: float
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.observed:+.2f} as measured (p = {self.p_value:.2g}); {self.median:+.2f} [{self.low:+.2f}, "
            f"{self.high:+.2f}] over errors and sampling, positive in {100 * self.share_positive:.0f} %"
        )


def spearman(quantity: Measured | Draws, covariate: Covariate, *, repeats: int = REPEATS, seed: int = 0) -> Spearman:
    """Correlation of a quantity with a covariate.

    Args:
        quantity: with errors, or draws, whose priors are divided out.
        covariate: with errors or without.
        repeats: Monte Carlo repetitions.
        seed: of these.

    Raises:
        InputError: if the two are not of the same galaxies, there is no repetition, or the seed cannot be one.
    """
    require_count("repeats", repeats, 1)
    require_seed(seed)
    points, n = quantity.middles(), len(covariate.values)
    if len(points) != n:
        raise InputError(f"covariate: expected {len(points)} entries, one per galaxy, found {n}; match.")
    random = np.random.default_rng(seed)
    y, x = quantity.resampled(random, repeats), np.broadcast_to(covariate.values, (repeats, n))
    if covariate.sigma is not None:
        x = x + covariate.sigma * random.standard_normal((repeats, n))
    if covariate.limited:
        # The linear quantity, or one over it, is a measurement of 0 whose error is the limit, and cannot be negative.
        linear = np.log10(np.abs(random.standard_normal((repeats, n))))
        x = np.where(covariate.limit, covariate.values + covariate.limit * linear, x)
    chosen = random.integers(n, size=(repeats, n))
    rho = _rho(np.take_along_axis(x, chosen, axis=1), np.take_along_axis(y, chosen, axis=1))
    rho = rho[np.isfinite(rho)] if np.isfinite(rho).any() else rho
    low, median, high = np.quantile(rho, [0.16, 0.5, 0.84])
    observed = float(_rho(covariate.values[None], points[None])[0])
    share = float("nan") if np.isnan(median) else float(np.mean(rho > 0.0))
    p_value = _p_value(observed, np.asarray(covariate.values), points)
    return Spearman(observed, float(low), float(median), float(high), share, p_value)


def _p_value(rho: float, x: np.ndarray, y: np.ndarray) -> float:
    """Two-sided: the regularised incomplete beta function I_x((n - 2) / 2, 1 / 2) at x = 1 - rho^2; of few, counted."""
    n = len(x)
    if n < 3 or np.isnan(rho):
        return float("nan")
    if n <= COUNTED:
        orders = np.array(list(permutations(y)))
        return float(np.mean(np.abs(_rho(np.broadcast_to(x, orders.shape), orders)) >= abs(rho) - 1e-9))
    return float(betainc(0.5 * (n - 2), 0.5, max(1.0 - rho**2, 0.0)))


def _rho(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Row by row: Pearson's correlation of the ranks, equal values sharing their mean rank; NaN where all are equal."""
    from scipy.stats import rankdata  # slow to import

    ranks = [rankdata(values, axis=1) for values in (x, y)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    size = np.sqrt(np.sum(a**2, axis=1) * np.sum(b**2, axis=1))
    return np.divide(np.sum(a * b, axis=1), size, out=np.full(size.shape, np.nan), where=size > 0.0)
