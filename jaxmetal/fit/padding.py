"""Stamps of many sizes brought to few, so that their fits share one compiled program; padding is never used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

FEW = 4
"""Different sizes that are worth a program each."""


def sizes(observations: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
    """Shapes of all observations' pixels and data."""
    return tuple((*one.shape, *np.shape(one.data)) for _, one in sorted(observations.items()))


def worth_padding(found: Iterable[Any]) -> bool:
    """Whether there are so many different sizes that padding pays."""
    return len(set(found)) > FEW


def padded(observations: Mapping[str, Any]) -> dict[str, Any]:
    """Observations with their stamps, and the number of their bins, brought to one of few sizes."""
    return {name: observation.padded() for name, observation in observations.items()}
