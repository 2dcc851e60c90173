"""Output that is either complete or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jaxmetal.edge.errors import InputError

MARKER = "provenance.json"
"""What every folder of results holds, and what a folder must hold (or be empty) before it may be replaced."""

REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.EACCES: "permission is denied; choose another place",
    errno.EPERM: "permission is denied; choose another place",
    errno.ENAMETOOLONG: "its name is too long for the file system; choose a shorter one",
    errno.ENOENT: "a folder that should hold it is missing; create it, or start again if it was removed meanwhile",
}


@contextlib.contextmanager
def output_folder(path: str | Path, *, overwrite: bool | None = False) -> Iterator[Path]:
    """A folder that appears only when everything in it has been written.

    Yields a hidden temporary folder next to `path`, which takes its name when the block ends and vanishes when the
    block raises (Ctrl-C included). With `overwrite`, earlier results stay in place until then.

    Args:
        path: the folder to make; its parent must exist.
        overwrite: replace a folder of earlier results (one with a `provenance.json`) or an empty one; None where users
            cannot ask for that.

    Raises:
        InputError: if the folder exists, is no folder of results, or cannot be written.
    """
    target = Path(path).absolute()
    require_replaceable(target, overwrite)
    with writing(target):
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with writing(target):
            temporary.chmod(0o777 & ~_umask())
            yield temporary
            require_replaceable(target, overwrite)
            _move(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turns a full disk, a read-only or missing place, missing permissions and long names into one sentence.

    Raises:
        InputError: in place of an OSError of these kinds; others pass.
    """
    try:
        yield
    except OSError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise InputError(f"The output {path} cannot be written because {reason}.") from error


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


def _move(temporary: Path, target: Path) -> None:
    """Renames, with the old folder set aside until the new one is in place."""
    if not target.exists():
        temporary.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    old = target.rename(aside / target.name)
    try:
        temporary.rename(target)
    except BaseException:
        old.rename(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _reason(error: BaseException | None) -> str | None:
    """Why nothing can be written; libraries raise anew, so the errors behind an error are asked too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in REASONS:
            return REASONS[error.errno]
        error = error.__cause__ or error.__context__
    return None


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    current = os.umask(0)
    os.umask(current)
    return current
