"""The ranges that parameters can have, declared beside them: `q: Any = parameter("", within="(0, 1]")`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.tree import parts

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
    found = numbers(name, value, interval, unit)
    if found.ndim:
        raise InputError(
            f"{name}: expected a number within {interval}, found an array of shape {found.shape}; correct it."
        )
    return float(found)


def numbers(name: str, value: Any, interval: str, unit: str = "", *, advice: str = "correct it") -> np.ndarray:
    """Numbers that are given to a function, as `number` is.

    Args:
        name: of the argument.
        value: of it.
        interval: where all of them lie.
        unit: of them; "" for pure numbers.
        advice: the end of the sentence.

    Raises:
        InputError: naming the first that lies outside.
    """
    found = floats(name, value, unit)
    outside = found[~inside(interval, found)]
    if outside.size:
        raise InputError(f"{name}: expected a number within {interval}, found {outside[0]:g}; {advice}.")
    return found


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
    for name, part, said in parts(tree):
        place, is_parameter = (*path, name), "unit" in said or "within" in said
        if is_parameter and isinstance(part, NUMBERS):
            yield place, part, said
        elif is_parameter and isinstance(part, tuple):
            yield from (((*place, str(k)), one, said) for k, one in enumerate(part))
        else:
            yield from declared(part, place)
