"""Whether chains agree, from their draws: rank-normalised split R-hat and bulk effective sample size.

Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16, 667.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np


def r_hat(values: np.ndarray) -> float:
    """Largest R-hat over a parameter's elements; `values` has shape (chains, draws, ...)."""
    return _each(values, "rhat", max)


def effective_samples(values: np.ndarray) -> float:
    """Smallest effective sample size over a parameter's elements; `values` has shape (chains, draws, ...)."""
    return _each(values, "ess", min)


def _each(values: np.ndarray, statistic: str, worst: Callable[[Iterable[float]], float]) -> float:
    from arviz_stats.base import array_stats

    flat = values.reshape(*values.shape[:2], -1)
    return float(worst(getattr(array_stats, statistic)(flat[..., k]) for k in range(flat.shape[-1])))
