"""Mixtures of Student-t's: where proposals are drawn, and how they come to follow a posterior that is no Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from scipy.special import gammaln

FREEDOM = 8.0
"""Degrees of freedom: tails heavier than a Gaussian's keep importance weights bounded."""

HEAVY = 4.0
"""Likewise of a mixture that follows a posterior from draws, which know its bulk and guess at its tails."""

WIDE, WIDENED = 0.1, 2.0
"""Share of its last component, as wide as all points, and the factor on their covariance: where none of the others
reaches, it bounds the weights (a defensive mixture: Hesterberg 1995, Technometrics 37, 185)."""

STEPS = 30
"""Turns of expectation and maximisation in which a mixture is fitted."""

BLUR = 0.02
"""Share of the covariance of all points that is added to each component's: none collapses on a few points."""

LEAST = 1e-3
"""Smallest share of a component."""

Array = NDArray[np.floating]


class StudentMixture(NamedTuple):
    """sum_k share_k t(z; centre_k, S_k S_k^T).

    Attributes:
        shares: of the components, shape (parts,), summing to 1.
        centres: shape (parts, size).
        factors: S_k, lower triangular or not, shape (parts, size, size).
        freedom: degrees of freedom, of all components.
    """

    shares: Array
    centres: Array
    factors: Array
    freedom: float = FREEDOM

    @property
    def described(self) -> str:
        """What proposals from it are called."""
        return "a mixture that follows the posterior" if len(self.shares) > 1 else "more draws of it"

    @property
    def good(self) -> float:
        """k-hat below which no other mixture is fitted to its draws."""
        return 0.0

    @classmethod
    def single(cls, centre: Array, factor: Array) -> StudentMixture:
        """Of one component."""
        return cls(np.ones(1), centre[None], factor[None])

    def draw(self, seed: SeedSequence, count: int) -> Array:
        """Vectors, shape (count, size)."""
        random, size = np.random.default_rng(seed), self.centres.shape[1]
        stretch = np.sqrt(random.chisquare(self.freedom, count) / self.freedom)
        whitened = random.standard_normal((count, size)) / stretch[:, None]
        part = random.choice(len(self.shares), count, p=self.shares)
        found = self.centres[part]
        for k, factor in enumerate(self.factors):
            found[part == k] += whitened[part == k] @ factor.T
        return found

    def log_density(self, vectors: Array) -> Array:
        """At vectors (count, size)."""
        return np.logaddexp.reduce(self.log_parts(vectors)[0], axis=0)

    def fitted(self, vectors: Array, weights: Array, parts: int, random: Generator) -> StudentMixture:
        """Another, see `fitted`."""
        return fitted(vectors, weights, parts, random)

    def log_parts(self, vectors: Array) -> tuple[Array, Array]:
        """log(share_k t_k) and squared distances in units of S_k, each of shape (parts, count)."""
        size, freedom = self.centres.shape[1], self.freedom
        offsets = vectors[None] - self.centres[:, None]
        whitened = np.linalg.solve(self.factors, np.swapaxes(offsets, 1, 2))
        squares = np.sum(whitened**2, axis=1)
        unit = gammaln(0.5 * (freedom + size)) - gammaln(0.5 * freedom) - 0.5 * size * np.log(freedom * np.pi)
        norms = unit + np.log(self.shares) - np.linalg.slogdet(self.factors)[1]
        return norms[:, None] - 0.5 * (freedom + size) * np.log1p(squares / freedom), squares


def drawn(mixtures: Sequence[Any], shares: Array, seed: SeedSequence, count: int) -> Array:
    """Vectors from several mixtures, from each as often as its share says; shape (count, size)."""
    own, *others = seed.spawn(1 + len(mixtures))
    part = np.random.default_rng(own).choice(len(mixtures), count, p=shares)
    found = [one.draw(other, count) for one, other in zip(mixtures, others, strict=True)]
    return np.asarray(np.stack(found)[part, np.arange(count)])


def logs(mixtures: Sequence[Any], counts: Sequence[int] | Array, vectors: Array) -> Array:
    """log(n_k q_k) of each mixture, shape (mixtures, count).

    Args:
        mixtures: q_k.
        counts: n_k, how often each is drawn from, or its share.
        vectors: where, shape (count, size).
    """
    return np.stack([np.log(n) + one.log_density(vectors) for n, one in zip(counts, mixtures, strict=True)])


def pooled(mixtures: Sequence[Any], counts: Sequence[int] | Array, vectors: Array) -> Array:
    """log density of draws from several mixtures as if they came from all together, up to a constant.

    Cornuet et al. 2012, Scand. J. Stat. 39, 798, eq. 3: the more draws of a mixture, the more it counts. Arguments as
    of `logs`.
    """
    return np.asarray(np.logaddexp.reduce(logs(mixtures, counts, vectors), axis=0))


def fitted(vectors: Array, weights: Array, parts: int, random: Generator) -> StudentMixture:
    """The mixture that weighted points come from, by expectation and maximisation, and a wide component besides.

    Components begin at points picked by weight. The updates are those of Cappe et al. 2008 (Stat. Comput. 18, 447,
    section 4) for importance-weighted draws.

    Args:
        vectors: shape (count, size).
        weights: not all 0, shape (count,).
        parts: number of components but for the wide one; at least as many weights are positive.
        random: picks where the components begin.
    """
    weights, size = weights / weights.sum(), vectors.shape[1]
    whole = np.cov(vectors, rowvar=False, aweights=weights).reshape(size, size)
    begin = random.choice(len(weights), parts, replace=False, p=weights)
    found = StudentMixture(
        np.full(parts, 1.0 / parts), vectors[begin], np.repeat(np.linalg.cholesky(whole)[None], parts, 0), HEAVY
    )
    for _ in range(STEPS):
        logs, squares = found.log_parts(vectors)
        member = np.exp(logs - np.logaddexp.reduce(logs, axis=0)) * weights
        near = member * (HEAVY + size) / (HEAVY + squares)
        shares = np.maximum(member.sum(axis=1), LEAST)
        centres = (near @ vectors) / np.maximum(near.sum(axis=1), 1e-300)[:, None]
        offsets = vectors[None] - centres[:, None]
        spreads = np.swapaxes(offsets * near[:, :, None], 1, 2) @ offsets / shares[:, None, None]
        found = StudentMixture(shares / shares.sum(), centres, np.linalg.cholesky(spreads + BLUR * whole), HEAVY)
    kind = vectors.dtype
    return StudentMixture(
        shares=np.append((1.0 - WIDE) * found.shares, WIDE),
        centres=np.concatenate([found.centres, (weights @ vectors)[None]]).astype(kind),
        factors=np.concatenate([found.factors, np.linalg.cholesky(WIDENED * whole)[None]]).astype(kind),
        freedom=HEAVY,
    )
