"""Output that is either complete or absent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import sweep, unfinished
from jaxmetal.edge.writing import writing as writing

MARKER = "provenance.json"
"""What every folder of results holds, and what a folder must hold (or be empty) before it may be replaced."""


@contextlib.contextmanager
def output_folder(path: str | Path, *, overwrite: bool | None = False) -> Iterator[Path]:
    """A folder that appears only when everything in it has been written.

    Yields a folder in a hidden one next to `path`, which takes its place when the block ends and vanishes when the
    block raises (Ctrl-C included); what a killed process left there is removed first. With `overwrite`, earlier results
    stay in place until then.

    Args:
        path: the folder to make; its parent must exist.
        overwrite: replace a folder of earlier results (one with a `provenance.json`) or an empty one; None where users
            cannot ask for that.

    Raises:
        InputError: if the folder exists, is no folder of results, or cannot be written.
    """
    target = Path(path).absolute()
    require_replaceable(target, overwrite)
    sweep(target.parent)
    with unfinished(target) as folder:
        folder.mkdir()
        yield folder
        require_replaceable(target, overwrite)


def require_replaceable(path: str | Path, overwrite: bool | None) -> None:
    """Refuses an output folder that could not be made; worth asking before a long computation.

    Raises:
        InputError: if its parent is missing, it exists and may not be replaced, or is no folder of results.
    """
    target = Path(path).absolute()
    if not os.path.isdir(target.parent):
        raise InputError(
            f"The output {target} needs an existing parent folder, but {target.parent} is none; create it first."
        )
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise InputError(f"The output {target} must be a new folder, but is a file or link; choose another name.")
    if not overwrite:
        way = "" if overwrite is None else " or --overwrite"
        raise InputError(f"The output folder {target} exists already; choose another name{way}.")
    if any(target.iterdir()) and not (target / MARKER).is_file():
        raise InputError(
            f"The output folder {target} may only replace earlier results, but holds no {MARKER}; choose another name."
        )
