"""The Gaussian that touches the posterior at a maximum: what whitens, and what proposals begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.fit.curvature import rescale
from jaxmetal.fit.optimum import Optimum
from jaxmetal.fit.problem import Problem


class Laplace(NamedTuple):
    """log p(z) ~ log_peak - (z - mode)^T H (z - mode) / 2 on the unconstrained vector z.

    Attributes:
        mode: shape (size,).
        factor: S with S S^T = H^-1: z = mode + S e with e standard normal.
        log_peak: log density at the mode, Jacobian included.
    """

    mode: np.ndarray
    factor: np.ndarray
    log_peak: Any

    def log_density(self, vectors: np.ndarray) -> np.ndarray:
        """At vectors (count, size)."""
        whitened = np.linalg.solve(self.factor, (vectors - self.mode).T)
        return np.asarray(self.log_peak - 0.5 * np.sum(whitened**2, axis=0))

    def place(self, _: Problem, e: jax.Array) -> tuple[jax.Array, float]:
        """The unconstrained vector of a white one, and the logarithm of the change of volume since e = 0."""
        return self.mode + self.factor @ e, 0.0

    @property
    def log_evidence(self) -> float:
        """log integral of the posterior density: log_peak + (d/2) log 2 pi + log |S|."""
        return float(self.log_peak + 0.5 * self.mode.size * np.log(2.0 * np.pi) + np.linalg.slogdet(self.factor)[1])


def laplace(problems: Problem, which: Sequence[int], peaks: Sequence[Optimum]) -> list[Laplace]:
    """The approximations at maxima of the problems' unconstrained densities."""
    modes, scalings = (np.stack([getattr(peak, name) for peak in peaks]) for name in ("vector", "scaling"))
    factors = rescale(problems, np.asarray(which), modes, 1.0, scalings)
    return [
        Laplace(peak.vector, factor, np.asarray(peak.log_density, peak.vector.dtype))
        for peak, factor in zip(peaks, factors, strict=True)
    ]
