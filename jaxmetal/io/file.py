"""A file that is to be read is there, is one, and ends."""

from __future__ import annotations

import os
from pathlib import Path

from jaxmetal.edge.errors import InputError

LONGEST_TEXT = 2**30
"""Bytes of a table of text."""


def require_file(path: str | Path, what: str, advice: str = "check its path", most: int | None = None) -> None:
    """Refuses a path where there is no file: nothing, a folder, or a device or pipe, which may never end.

    Args:
        path: that is to be read.
        what: subject of the sentence, e.g. "The bin map".
        advice: what to do where there is nothing.
        most: bytes that it may have; default: any number.

    Raises:
        InputError: if it is none, or longer.
    """
    if "\0" in str(path):
        raise InputError(f"{what} {path} has a character that no path can have; {advice}.")
    if os.path.isdir(path):
        raise InputError(f"{what} {path} must be a file, but is a folder; name a file in it.")
    if not os.path.exists(path):
        raise InputError(f"{what} {path} does not exist; {advice}.")
    if not os.path.isfile(path):
        raise InputError(f"{what} {path} must be a file, but is a device or a pipe; save what it gives as a file.")
    size = os.path.getsize(path)
    if most is not None and size > most:
        raise InputError(
            f"{what} {path} must have at most {most / 2**20:g} MiB, but has {size / 2**20:.0f}; check that it is the "
            "right file."
        )
