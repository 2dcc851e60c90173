"""Matrices between two regular lines of points that vanish far from their diagonal, applied block by block.

An entry depends on the distance of its target from its source alone. Targets are cut into blocks of equal size; each
sees a window of sources, and all blocks share one small matrix.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ADDED = 16
"""Multiplications that adding one product to a target costs as much as."""

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

    @property
    def parts(self) -> int:
        """Stretches of `advance` sources in a window; neighbouring windows have all but one in common."""
        return 1 if self.blocks == 1 else -(-self.window // self.advance)

    @property
    def stretch(self) -> int:
        """Sources in one of them."""
        return self.window if self.blocks == 1 else self.advance

    @property
    def cost(self) -> int:
        """Multiplications of one line of sources, and what adding their sums costs."""
        return (self.blocks + self.parts - 1) * self.parts * self.size * (self.stretch + ADDED)

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
    for size in range(1, targets.count if math.isfinite(reach) else 0):
        ratio = size * targets.step / sources.step
        advance = round(ratio)
        if advance < 1 or abs(ratio - advance) > WHOLE:
            continue
        first = math.ceil((targets.start - reach - sources.start) / sources.step)
        last = math.floor((targets.start + (size - 1) * targets.step + reach - sources.start) / sources.step)
        found = Bands(targets.count, size, last - first + 1, first, advance)
        if found.cost < best.cost:
            best = found
    return best


def windows(field: jax.Array, bands: Bands, start: int = 0) -> jax.Array:
    """The sources that each block sees, (..., blocks, window).

    Args:
        field: values of the sources, shape (..., sources).
        bands: how they are cut.
        start: index of the first of them.
    """
    field = _stretches(field, bands, start, field.ndim - 1)
    shifted = [field[..., part : part + bands.blocks, :] for part in range(bands.parts)]
    return jnp.concatenate(shifted, axis=-1)[..., : bands.window]


def along_last(matrix: jax.Array, field: jax.Array, bands: Bands, start: int = 0) -> jax.Array:
    """A matrix applied to the last axis of a field.

    Each stretch of sources is multiplied by all parts of the matrix that may see it; a target is the sum of what it
    gets from the stretches of its window. Nothing is copied beforehand.

    Args:
        matrix: of one block, shape (size, window).
        field: values of the sources, shape (..., sources).
        bands: how they are cut.
        start: index of the first of the sources.

    Returns:
        shape (..., targets).
    """
    stretches = _stretches(field, bands, start, field.ndim - 1)
    found = jnp.matmul(stretches, _parts(matrix, bands).T, precision=jax.lax.Precision.HIGHEST)
    found = found.reshape(*found.shape[:-1], bands.parts, bands.size)
    whole: Any = sum(found[..., p : p + bands.blocks, p, :] for p in range(bands.parts))
    return whole.reshape(*field.shape[:-1], -1)[..., : bands.targets]


def along_first(matrix: jax.Array, field: jax.Array, bands: Bands, start: int = 0) -> jax.Array:
    """The same along the last axis but one: from (..., sources, n) to (..., targets, n)."""
    stretches = _stretches(field, bands, start, field.ndim - 2)
    parts = _parts(matrix, bands)
    # A matrix for each stretch, so that the product comes out in its order.
    found = jnp.matmul(
        jnp.broadcast_to(parts, (*stretches.shape[:-2], *parts.shape)), stretches, precision=jax.lax.Precision.HIGHEST
    )
    found = found.reshape(*found.shape[:-2], bands.parts, bands.size, field.shape[-1])
    whole: Any = sum(found[..., p : p + bands.blocks, p, :, :] for p in range(bands.parts))
    return whole.reshape(*field.shape[:-2], -1, field.shape[-1])[..., : bands.targets, :]


def _stretches(field: jax.Array, bands: Bands, start: int, axis: int) -> jax.Array:
    """The sources of an axis on two axes: stretch after stretch, dark where there are none."""
    rows = bands.blocks + bands.parts - 1
    low = start - bands.first
    pads = [(0, 0, 0)] * field.ndim
    pads[axis] = (low, rows * bands.stretch - low - field.shape[axis], 0)
    field = jax.lax.pad(field, jnp.zeros((), field.dtype), pads)
    return field.reshape(*field.shape[:axis], rows, bands.stretch, *field.shape[axis + 1 :])


def _parts(matrix: jax.Array, bands: Bands) -> jax.Array:
    """A matrix on a window as matrices on stretches, one under the other: (parts * size, stretch)."""
    size, window = matrix.shape
    whole = jnp.pad(matrix, ((0, 0), (0, bands.parts * bands.stretch - window)))
    return whole.reshape(size, bands.parts, bands.stretch).swapaxes(0, 1).reshape(-1, bands.stretch)
