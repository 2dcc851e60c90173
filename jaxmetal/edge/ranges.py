"""The ranges that parameters can have, declared beside them: `q: Any = parameter("", within="(0, 1]")`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.errors import InputError

NUMBERS = (int, float, np.generic, np.ndarray, jax.Array)
"""What a fixed number can be, if it has no dimension."""


def require_within(tree: Any, where: str = "", *, medians: bool = False) -> None:
    """Refuses fixed numbers outside the range of their field (see `numerics.tree.parameter`).

    Distributions pass, since their support is the user's own statement, and so do arrays: a number per datum is part of
    the data.

    Args:
        tree: nodes, mappings and sequences of them.
        where: name of the tree, for the sentence.
        medians: whether its numbers stand for priors, whose medians they are.

    Raises:
        InputError: naming the first such number by its path, and the range.
    """
    what = "a prior with its median" if medians else "a number"
    advice = "" if medians else ", or give a distribution where it is not known"
    for place, number, interval in _declared(tree, where):
        if not contains(interval, number):
            raise InputError(
                f"{place}: expected {what} within {interval}, found {float(number):g}; correct it{advice}."
            )


def contains(interval: str, number: Any) -> bool:
    """Whether a number lies in an interval; a round bracket leaves its end out, a square one takes it in."""
    low, high = ends(interval)
    above = low <= number if interval[0] == "[" else low < number
    return bool(above and (number <= high if interval[-1] == "]" else number < high))


def ends(interval: str) -> tuple[float, float]:
    """The ends of an interval."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    return low, high


def _declared(tree: Any, where: str) -> Iterator[tuple[str, Any, str]]:
    """Path, number and interval of every number whose field declares one."""
    for name, part, interval in _parts(tree):
        place = f"{where}.{name}" if where else name
        if interval is not None and isinstance(part, NUMBERS) and np.ndim(part) == 0:
            yield place, part, interval
        elif interval is not None and isinstance(part, tuple):
            yield from ((f"{place}.{k}", one, interval) for k, one in enumerate(part))
        else:
            yield from _declared(part, place)


def _parts(tree: Any) -> list[tuple[str, Any, str | None]]:
    """Name, value and declared interval of what a tree is made of."""
    if isinstance(tree, Mapping):
        return [(str(name), part, None) for name, part in tree.items()]
    if isinstance(tree, (tuple, list)):
        return [(str(place), part, None) for place, part in enumerate(tree)]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(f.name, getattr(tree, f.name), f.metadata.get("within")) for f in dataclasses.fields(tree)]
    return []
