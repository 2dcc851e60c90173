"""A file that is to be read is there."""

from __future__ import annotations

import os
from pathlib import Path

from jaxmetal.edge.errors import InputError


def require_file(path: str | Path, what: str, advice: str = "check its path") -> None:
    """Refuses a path where there is no file.

    Args:
        path: that is to be read.
        what: subject of the sentence, e.g. "The bin map".
        advice: what to do where there is nothing.

    Raises:
        InputError: if there is nothing, or a folder.
    """
    if os.path.isdir(path):
        raise InputError(f"{what} {path} must be a file, but is a folder; name a file in it.")
    if not os.path.isfile(path):
        raise InputError(f"{what} {path} does not exist; {advice}.")
