"""Random numbers: every problem has a seed of its own, and every use of it a branch of its own."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.edge.arrays import require_seed


def seed_of(number: int, name: str | None = None) -> SeedSequence:
    """The seed of a fit, or of a galaxy of that name in a sample, which no other galaxy can change.

    Raises:
        InputError: unless the number is whole, not negative, and one that files of results can hold.
    """
    require_seed(number)
    return SeedSequence(number if name is None else [number, zlib.crc32(name.encode())])


def branch(seed: SeedSequence, *place: int) -> SeedSequence:
    """An independent seed for each place."""
    return SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *place))


def key_data(seed: SeedSequence, count: int) -> np.ndarray:
    """Data of `count` JAX random keys, shape (count, 2)."""
    return seed.generate_state(2 * count, np.uint32).reshape(count, 2)
