"""TOML tables, read strictly."""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from jaxmetal.edge.arrays import LARGEST
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.io.file import require_file
from jaxmetal.io.spelling import alike, listed, nearest

NAMES = {
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}
REQUIRED: Any = object()
Made = TypeVar("Made")

LONGEST = 2**24
"""Bytes of a configuration."""


def read_toml(path: Path) -> dict[str, Any]:
    """The whole file.

    Raises:
        InputError: if it is missing, no file of a sensible length, or no TOML.
    """
    require_file(path, "The configuration", most=LONGEST)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The configuration {path} cannot be read ({error.strerror}); check its path.") from None
    except RecursionError:
        raise InputError(f"The configuration {path} has tables or lists in each other without end; mend it.") from None
    except ValueError as error:  # no TOML, no UTF-8, a path that no file can have, a number of thousands of digits
        raise InputError(f"The configuration {path} is no valid TOML ({error}); correct it there.") from None


def described(path: str | Path, make: Callable[[dict[str, Any], Path], Made]) -> Made:
    """What the configuration in a file describes, by `make(table, path)`, whose refusals then name the file.

    Raises:
        InputError: as `read_toml` and `make`.
    """
    path = Path(path)
    table = read_toml(path)
    with naming(path.name):
        return make(table, path)


@contextlib.contextmanager
def naming(where: str) -> Iterator[None]:
    """Says in front of a refusal whose input it is."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith((f"{where}.", f"{where}:")) else f"{where}: {text}") from None


def choose(word: Any, where: str, known: Iterable[str]) -> str:
    """A word that must be one of several.

    Raises:
        InputError: naming the known words, and the nearest where it is alike.
    """
    known = list(known)
    if word is None:
        raise InputError(f"{where}: expected one of {listed(known)}, found nothing; add it.")
    if not isinstance(word, str):
        raise InputError(f"{where}: expected one of {listed(known)}, found {shown(word)}; write it in quotes.")
    if word not in known:
        near = nearest(word, known)[0] if known else ""
        advice = f"did you mean '{near}'?" if near and alike(word, near) else "choose one." if near else "add one."
        raise InputError(f"{where}: {shown(word)} is none of {listed(known)}; {advice}")
    return word


def take(table: dict[str, Any], key: str, where: str, kind: type, default: Any = REQUIRED) -> Any:
    """The value of a key, of one kind.

    Raises:
        InputError: if it is missing without a default, or of another kind.
    """
    if key not in table:
        if default is REQUIRED:
            raise InputError(f"{where or 'configuration'}: the key '{key}' is missing; add {NAMES[kind]}.")
        return default
    value: Any = table[key]
    place = f"{where}.{key}" if where else key
    if not _is_of(value, kind):
        raise InputError(f"{place}: expected {NAMES[kind]}, found {shown(value)}; correct it.")
    # Infinity may be a limit that makes sense, where it does.
    if kind in (int, float) and not (abs(value) <= LARGEST or abs(value) == math.inf):
        raise InputError(f"{place}: expected {NAMES[kind]} up to {LARGEST:g}, found {shown(value)}; correct it.")
    return kind(value) if kind is float else value


def _is_of(value: Any, kind: type) -> bool:
    """Whether a value is of a kind: a whole number is a number, too, and a truth value is none."""
    return isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))


def positive(
    table: dict[str, Any], key: str, where: str, kind: type, default: Any = REQUIRED, most: float = LARGEST
) -> Any:
    """As `take`, for numbers that must be above 0, and not above the most that makes sense."""
    value = take(table, key, where, kind, default)
    if value is not default and not 0 < value <= most:
        upto = "" if most == LARGEST else f" and up to {most:g}"
        raise InputError(f"{where}.{key}: expected {NAMES[kind]} above 0{upto}, found {shown(value)}; correct it.")
    return value


def child(table: dict[str, Any], key: str, where: str, default: Any = REQUIRED) -> tuple[dict[str, Any], str]:
    """A table within a table, and its place."""
    return take(table, key, where, dict, default), f"{where}.{key}" if where else key
