"""Proposals of several turns as one: each draw weighed as if it came from all of their mixtures together.

A mixture that has learned much may still miss a corner which an earlier, wider one knew: one draw there then carries
most of the weight. Among all of them every corner is covered that any has seen (deterministic mixtures: Owen & Zhou
2000, JASA 95, 135; Cornuet et al. 2012, Scand. J. Stat. 39, 798).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence

from jaxmetal.fit.student import Array, drawn, pooled


class Pool(NamedTuple):
    """sum_t n_t q_t / sum_t n_t.

    Attributes:
        mixtures: q_t, in the order in which they were fitted.
        counts: n_t, how often each was drawn from.
    """

    mixtures: tuple[Any, ...]
    counts: tuple[int, ...]

    @property
    def described(self) -> str:
        """What proposals from it are called."""
        return f"those of {len(self.counts)} mixtures together"

    @property
    def good(self) -> float:
        """As of the last."""
        return float(self.mixtures[-1].good)

    def draw(self, seed: SeedSequence, count: int) -> Array:
        """Vectors, shape (count, size)."""
        return drawn(self.mixtures, np.array(self.counts) / sum(self.counts), seed, count)

    def log_density(self, vectors: Array) -> Array:
        """At vectors (count, size)."""
        return pooled(self.mixtures, self.counts, vectors) - np.log(sum(self.counts))

    def fitted(self, vectors: Array, weights: Array, parts: int, random: Generator) -> Any:
        """Another, in the coordinates of the last."""
        return self.mixtures[-1].fitted(vectors, weights, parts, random)
