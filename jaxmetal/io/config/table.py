"""TOML tables, read strictly."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.io.file import require_file
from jaxmetal.io.spelling import nearest

NAMES = {
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}
REQUIRED: Any = object()

LONGEST = 2**24
"""Bytes of a configuration."""


def read_toml(path: Path) -> dict[str, Any]:
    """The whole file.

    Raises:
        InputError: if it is missing, no file of a sensible length, or no TOML.
    """
    try:
        require_file(path, "The configuration", most=LONGEST)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The configuration {path} cannot be read ({error.strerror}); check its path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The configuration {path} is no valid TOML ({error}); correct it there.") from None


def require_known(table: dict[str, Any], where: str, known: Iterable[str]) -> None:
    """Refuses keys that are not known.

    Raises:
        InputError: naming the nearest known key.
    """
    known = list(known)
    for key in table:
        if key not in known:
            raise InputError(f"{where}: '{key}' is no known key; did you mean '{nearest(key, known)[0]}'?")


@contextlib.contextmanager
def naming(where: str) -> Iterator[None]:
    """Says in front of a refusal whose input it is."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def choose(word: Any, where: str, known: Iterable[str]) -> str:
    """A word that must be one of several.

    Raises:
        InputError: naming the nearest known word.
    """
    known = list(known)
    if not isinstance(word, str):
        raise InputError(f"{where}: expected one of {', '.join(known)}, found {word!r}; write it in quotes.")
    if word not in known:
        raise InputError(f"{where}: '{word}' is none of {', '.join(known)}; did you mean '{nearest(word, known)[0]}'?")
    return word


def take(table: dict[str, Any], key: str, where: str, kind: type, default: Any = REQUIRED) -> Any:
    """The value of a key, of one kind.

    Raises:
        InputError: if it is missing without a default, or of another kind.
    """
    if key not in table:
        if default is REQUIRED:
            raise InputError(f"{where}: the key '{key}' is missing; add {NAMES[kind]}.")
        return default
    value = table[key]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{where}.{key}: expected {NAMES[kind]}, found {value!r}; correct it.")
    return value


def positive(table: dict[str, Any], key: str, where: str, kind: type, default: Any = REQUIRED) -> Any:
    """As `take`, for numbers that must be above 0."""
    value = take(table, key, where, kind, default)
    if value is not default and not 0 < value < float("inf"):
        raise InputError(f"{where}.{key}: expected {NAMES[kind]} above 0, found {value!r}; correct it.")
    return value


def child(table: dict[str, Any], key: str, where: str, default: Any = REQUIRED) -> tuple[dict[str, Any], str]:
    """A table within a table, and its place."""
    return take(table, key, where, dict, default), f"{where}.{key}" if where else key
