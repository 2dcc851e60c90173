"""Matrices between two regular lines of points that vanish far from their diagonal, applied block by block.

An entry depends on the distance of its target from its source alone. Targets are cut into blocks of equal size; each
sees a window of sources, and all blocks share one small matrix.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

COPY = 6
"""Multiplications that putting one source into a window costs as much as."""

WHOLE = 1e-9
"""Departure from a whole number that is round-off."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Equidistant points: start, start + step, ...

    Attributes:
        count: how many.
        start: position of the first.
        step: from one to the next.
    """

    count: int
    start: float = 0.0
    step: float = 1.0

    @property
    def points(self) -> np.ndarray:
        """Their positions."""
        return self.start + self.step * np.arange(self.count)


@dataclasses.dataclass(frozen=True)
class Bands:
    """How a line of targets is cut into blocks, and which sources each of them sees.

    Attributes:
        targets: number of targets.
        size: targets per block.
        window: sources that a block sees.
        first: index of the first source of the first window; those below 0, or past the end, are dark.
        advance: sources from the start of one window to that of the next.
    """

    targets: int
    size: int
    window: int
    first: int = 0
    advance: int = 0

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.targets // self.size)

    def span(self, sources: int) -> tuple[int, int]:
        """The part of so many sources that any block sees."""
        last = self.first + (self.blocks - 1) * self.advance + self.window
        return max(0, self.first), min(sources, last)

    def seen(self, sources: Places) -> np.ndarray:
        """Positions of the sources that the first block sees; the same, moved along, for every block."""
        return sources.start + sources.step * (self.first + np.arange(self.window))


def cut(targets: Places, sources: Places, reach: float) -> Bands:
    """The cheapest cut for entries that vanish beyond `reach`; one block that sees everything where none is cheaper."""
    best = Bands(targets=targets.count, size=targets.count, window=sources.count)
    least: float = best.size * best.window
    for size in range(1, targets.count if math.isfinite(reach) else 0):
        ratio = size * targets.step / sources.step
        advance = round(ratio)
        if advance < 1 or abs(ratio - advance) > WHOLE:
            continue
        first = math.ceil((targets.start - reach - sources.start) / sources.step)
        last = math.floor((targets.start + (size - 1) * targets.step + reach - sources.start) / sources.step)
        found = Bands(targets.count, size, last - first + 1, first, advance)
        cost = found.blocks * found.window * (size + COPY)
        if cost < least:
            best, least = found, cost
    return best


def windows(field: jax.Array, bands: Bands, start: int = 0) -> jax.Array:
    """The sources that each block sees, (..., blocks, window).

    Args:
        field: values of the sources, shape (..., sources).
        bands: how they are cut.
        start: index of the first of them.
    """
    if bands.blocks == 1:
        return field[..., None, :]
    parts = -(-bands.window // bands.advance)
    rows = bands.blocks + parts - 1
    low = start - bands.first
    high = rows * bands.advance - low - field.shape[-1]
    field = jax.lax.pad(field, jnp.zeros((), field.dtype), [(0, 0, 0)] * (field.ndim - 1) + [(low, high, 0)])
    field = field.reshape(*field.shape[:-1], rows, bands.advance)
    shifted = [field[..., part : part + bands.blocks, :] for part in range(parts)]
    return jnp.concatenate(shifted, axis=-1)[..., : bands.window]
