"""Lenstool's parameter files: sections of lines "key values"."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import contains

SECTIONS = {"potential": "potentiel", "cosmology": "cosmologie", "cosmologie": "cosmologie"}
"""English names of sections, and Lenstool's own."""


class Section(NamedTuple):
    """A section: its name, what stands behind the name or its number, and key -> words."""

    name: str
    label: str
    values: dict[str, list[str]]


def blocks_of(path: Path) -> list[Section]:
    """Sections from their names to `end`."""
    found: list[Section] = []
    inside = False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        key = words[0].lower()
        if not inside and key in ("fini", "finish"):
            break
        if inside and key == "end":
            inside = False
        elif inside:
            found[-1].values[key] = words[1:]
        else:
            name = SECTIONS.get(key, key)
            count = sum(block.name == name for block in found) + 1
            found.append(Section(name, words[1] if len(words) > 1 else str(count), {}))
            inside = True
    return found


ANY, NOT_NEGATIVE, POSITIVE = "(-inf, inf)", "[0, inf)", "(0, inf)"
"""Ranges of numbers, see `edge.ranges`."""


def number(block: Section, key: str, where: str, at: int = 0, default: float | None = None, within: str = ANY) -> float:
    """A number of a line, by its place behind the key.

    Raises:
        InputError: if it is not there and has no default, is no number, or lies outside its range.
    """
    words = block.values.get(key)
    if words is None:
        if default is None:
            raise InputError(f"{where}: expected '{key}', found none; add it.")
        return default
    try:
        found = float(words[at])
    except (ValueError, IndexError):
        raise InputError(f"{where}: expected a number as '{key}', found '{' '.join(words)}'; correct it.") from None
    if not contains(within, found):
        raise InputError(f"{where}: expected '{key}' within {within}, found {found:g}; correct it.")
    return found


def settled(
    block: Section, key: str, where: str, at: int = 1, default: float | None = None, within: str = ANY
) -> float:
    """The number of a line "key int float float" of a potfile, where the int is 0.

    Any other int makes it free: the floats are then the bounds (1) or the mean and deviation (3) of a prior, as in
    Lenstool's documentation of the section, and none of them is the model's value.

    Raises:
        InputError: if it is free, or as of `number`.
    """
    words = block.values.get(key, ["0"])
    if len(words) > 1 and number(block, key, where) != 0.0:
        raise InputError(
            f"{where}: expected '{key} 0 VALUE', found '{key} {' '.join(words)}', the prior of a free number; write "
            f"what the model found for it, '{key} 0 VALUE', or let it be free with Members and a catalogue."
        )
    return number(block, key, where, at, default, within)
