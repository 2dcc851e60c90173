"""What measured features contain of the lines, for everything that predicts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.lines import LINES, feature


class Contents:
    """Nodes whose features are weighted sums of lines.

    Attributes:
        weights: shape (features, lines); mostly zeros, which fits skip.
        lines: their names.
        features: names of what is measured.
    """

    weights: tuple[tuple[float, ...], ...]
    lines: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def alone(self) -> dict[str, int]:
        """Line -> number of the feature that holds nothing else."""
        rows = ([name for name, part in zip(self.lines, row, strict=True) if part] for row in self.weights)
        return {names[0]: k for k, names in enumerate(rows) if len(names) == 1}

    def wavelength(self, feature: str) -> float:
        """Rest wavelength of a feature, vacuum, Angstrom: the weighted mean of its lines."""
        weights = self.weights[self.features.index(feature)]
        total = sum(weight * LINES[name].vacuum for name, weight in zip(self.lines, weights, strict=True))
        return total / sum(weights)

    def label(self, feature: str) -> str:
        """What a feature contains, for axes."""
        weights = self.weights[self.features.index(feature)]
        return " + ".join(LINES[name].label for name, weight in zip(self.lines, weights, strict=True) if weight)

    def summed(self, lines: Sequence[jax.Array]) -> list[jax.Array]:
        """Features from lines."""
        blank = jnp.zeros_like(lines[0])
        return [
            sum((weight * line for weight, line in zip(row, lines, strict=True) if weight), start=blank)
            for row in self.weights
        ]


def blends(features: Sequence[str] | Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Name of each feature -> line -> weight.

    Raises:
        InputError: if a line is unknown, or a name or what it stands for occurs twice.
    """
    if not isinstance(features, Mapping):
        if len(set(features)) < len(features):
            twice = next(name for name in features if list(features).count(name) > 1)
            raise InputError(f"features: expected every name once, found '{twice}' twice; give each line once.")
        features = {name: name for name in features}
    found = {name: feature(blend) for name, blend in features.items()}
    for (one, lines), (other, same) in combinations(found.items(), 2):
        if lines == same:
            raise InputError(
                f"features: expected every line or blend once, found '{one}' and '{other}', which are both "
                f"{' + '.join(lines)}; leave one out."
            )
    return found


def wanted(known: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """All lines of all features."""
    return tuple(dict.fromkeys(name for blend in known.values() for name in blend))


def weights(known: Mapping[str, Mapping[str, float]]) -> tuple[tuple[float, ...], ...]:
    """(features, lines), lines as `wanted`."""
    return tuple(tuple(blend.get(name, 0.0) for name in wanted(known)) for blend in known.values())
