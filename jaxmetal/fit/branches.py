"""Proposals about several maxima, each in coordinates of its own: straight, or along the ridge through it.

Maxima on two sides of a turnover often lie on one bent ridge, which a Gaussian about either leaves; where the ridges
through both overlap the posterior is covered twice, and weights know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence

from jaxmetal.fit.student import Array, drawn, logs, pooled

SEEN = 0.05
"""Least share of each part: what begins it may underrate it."""

FEWEST = 2
"""Effective draws per dimension without which a part is not fitted anew."""


def shared(log_masses: Sequence[float] | Array) -> Array:
    """Shares of parts of these masses, none below `SEEN` before they are scaled to sum to 1."""
    logs = np.asarray(log_masses, float)
    shares = np.maximum(np.exp(logs - np.logaddexp.reduce(logs)), SEEN)
    found: Array = shares / shares.sum()
    return found


class Branches(NamedTuple):
    """sum_k share_k q_k.

    Attributes:
        shares: of the parts, summing to 1.
        parts: q_k, mixtures.
    """

    shares: Array
    parts: tuple[Any, ...]

    @property
    def described(self) -> str:
        """What proposals from it are called."""
        return f"proposals about {len(self.parts)} maxima, along their ridges"

    @property
    def good(self) -> float:
        """As of the part that is the hardest to better."""
        return max(float(one.good) for one in self.parts)

    def draw(self, seed: SeedSequence, count: int) -> Array:
        """Vectors, shape (count, size)."""
        return drawn(self.parts, self.shares, seed, count)

    def log_density(self, vectors: Array) -> Array:
        """At vectors (count, size)."""
        return pooled(self.parts, self.shares, vectors)

    def fitted(self, vectors: Array, weights: Array, parts: int, random: Generator) -> Branches:
        """Another, each part fitted to what comes from it; a part to which nothing belongs stays as it is."""
        known = logs(self.parts, self.shares, vectors)
        member = np.exp(known - np.logaddexp.reduce(known, axis=0)) * weights / weights.sum()
        shares, effective = member.sum(axis=1), weights.sum() ** 2 / np.sum(weights**2)
        each = np.maximum(1, np.rint(parts * shares).astype(int))
        found = tuple(
            one.fitted(vectors, own, count, random) if share * effective > FEWEST * vectors.shape[1] else one
            for one, own, count, share in zip(self.parts, member, each, shares, strict=True)
        )
        return Branches(shared(np.log(np.maximum(shares, 1e-300))), found)
