"""The ranges that parameters can have, declared beside them: `q: Any = parameter("", within="(0, 1]")`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError

NUMBERS = (int, float, np.generic, np.ndarray, jax.Array)
"""What a fixed number can be, if it has no dimension."""


def require_within(tree: Any, where: str = "", *, medians: bool = False) -> None:
    """Refuses fixed numbers outside the range of their field (see `numerics.tree.parameter`).

    Distributions pass, since their support is the user's own statement, and so do arrays: a number per datum is part of
    the data (see `edge.data`).

    Args:
        tree: nodes, mappings and sequences of them.
        where: name of the tree, for the sentence.
        medians: whether its numbers stand for priors, whose medians they are.

    Raises:
        InputError: naming the first such number by its path, and the range.
    """
    what = "a prior with its median" if medians else "a number"
    advice = "" if medians else ", or give a distribution where it is not known"
    for path, number, said in declared(tree):
        interval = said["within"]
        if interval is not None and np.ndim(number) == 0 and not contains(interval, number):
            place = ".".join([where, *path] if where else path)
            raise InputError(
                f"{place}: expected {what} within {interval}, found {float(number):g}; correct it{advice}."
            )


def number(name: str, value: Any, interval: str = "(-inf, inf)", unit: str = "") -> float:
    """One number that is given to a function, a quantity in a unit.

    Args:
        name: of the argument.
        value: of it.
        interval: where it lies.
        unit: of it; "" for a pure number.

    Raises:
        InputError: if it is none, or lies outside.
    """
    found = floats(name, value, unit)
    if found.ndim or not contains(interval, found):
        said = f"{found:g}" if not found.ndim else f"an array of shape {found.shape}"
        raise InputError(f"{name}: expected a number within {interval}, found {said}; correct it.")
    return float(found)


def contains(interval: str, number: Any) -> bool:
    """Whether a number lies in an interval; a round bracket leaves its end out, a square one takes it in."""
    return bool(inside(interval, number))


def inside(interval: str, numbers: Any) -> Any:
    """Which of numbers lie in an interval, as `contains` tells of one."""
    low, high = ends(interval)
    above = low <= numbers if interval[0] == "[" else low < numbers
    return above & (numbers <= high if interval[-1] == "]" else numbers < high)


def ends(interval: str) -> tuple[float, float]:
    """The ends of an interval."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    return low, high


def declared(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Mapping[str, Any]]]:
    """Path, number or array, and what its field says of it (see `numerics.tree.parameter`), of every parameter."""
    for name, part, said in _parts(tree):
        place = (*path, name)
        if said is not None and isinstance(part, NUMBERS):
            yield place, part, said
        elif said is not None and isinstance(part, tuple):
            yield from (((*place, str(k)), one, said) for k, one in enumerate(part))
        else:
            yield from declared(part, place)


def _parts(tree: Any) -> list[tuple[str, Any, Mapping[str, Any] | None]]:
    """Name and value of what a tree is made of, and what its field says of it."""
    if isinstance(tree, Mapping):
        return [(str(name), part, None) for name, part in tree.items()]
    if isinstance(tree, (tuple, list)):
        return [(str(place), part, None) for place, part in enumerate(tree)]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(f.name, getattr(tree, f.name), f.metadata if {"unit", "within"} & set(f.metadata) else None)
                for f in dataclasses.fields(tree)]  # fmt: skip
    return []
