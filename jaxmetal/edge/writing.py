"""Files and folders that are either complete or absent, and what keeps them from being written, in one sentence."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.signals import unbroken

HIDDEN = ".jaxmetal-"
"""How the names of hidden folders begin, in which files and folders are made that then take their places."""

REPLACED = ".replaced"
"""Folder in a hidden one, for what was in such a place before."""

REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EFBIG: "a file may not be so large here; raise the limit (ulimit -f)",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.EACCES: "permission is denied; choose another place",
    errno.EPERM: "permission is denied; choose another place",
    errno.ENAMETOOLONG: "its name is too long for the file system; choose a shorter one",
    errno.ENOENT: "a folder that should hold it is missing; create it, or start again if it was removed meanwhile",
}


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Writes a file that is either complete or absent, also when the process is killed or runs twice.

    Args:
        path: the file, replaced where it exists.
        content: text, as UTF-8, or bytes.

    Raises:
        InputError: if nothing can be written there.
    """
    with unfinished(path) as file:
        file.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def unfinished(path: str | Path) -> Iterator[Path]:
    """A path in a hidden folder next to `path`, for a file or a folder that takes its place when the block ends.

    It vanishes when the block raises (Ctrl-C included); where the process is killed, `sweep` finds it.

    Raises:
        InputError: as `writing`.
    """
    target = Path(path).absolute()
    with writing(target):
        with contextlib.suppress(FileNotFoundError):
            target.lstat()  # A name that is too long is refused before anything is written.
        with _hidden(target.parent) as hidden:
            yield hidden / target.name
            with unbroken():
                _move(hidden, target)


def sweep(folder: str | Path) -> None:
    """Removes what killed processes left half-written in a folder, and puts back what they were about to replace.

    What a living process writes is locked. Left alone is what belongs to others, or where there are no such locks.

    Args:
        folder: that holds what was to be written.
    """
    for hidden in Path(folder).glob(f"{HIDDEN}*"):
        with contextlib.suppress(OSError), _locked(hidden):
            for old in (hidden / REPLACED).glob("*"):
                if not os.path.lexists(hidden.parent / old.name):
                    old.rename(hidden.parent / old.name)
            shutil.rmtree(hidden)


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


@contextlib.contextmanager
def _hidden(parent: Path) -> Iterator[Path]:
    """A hidden folder, locked as long as the block lasts, that vanishes with it."""
    with contextlib.ExitStack() as held:
        hidden = _claimed(parent, held)
        try:
            yield hidden
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


def _claimed(parent: Path, held: contextlib.ExitStack) -> Path:
    """A new hidden folder, and its lock held."""
    while True:
        hidden = parent / f"{HIDDEN}{secrets.token_hex(8)}"
        hidden.mkdir()
        try:
            held.enter_context(_locked(hidden))
        except (BlockingIOError, FileNotFoundError):
            continue  # swept before it was locked
        except OSError:
            return hidden  # a file system without locks, where nothing is swept
        if hidden.exists():
            return hidden


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks a folder against other processes; the lock ends with the process, however that ends.

    Raises:
        OSError: if another process has locked it, or nothing can be locked there.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _move(hidden: Path, target: Path) -> None:
    """Renames what was made in a hidden folder, with an old folder set aside until the new one is in place."""
    made = hidden / target.name
    if not (made.is_dir() and target.exists()):
        made.replace(target)
        return
    aside = hidden / REPLACED
    aside.mkdir()
    old = target.rename(aside / target.name)
    try:
        made.rename(target)
    except BaseException:
        old.rename(target)
        raise


def _reason(error: BaseException | None) -> str | None:
    """Why nothing can be written; libraries raise anew, so the errors behind an error are asked too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in REASONS:
            return REASONS[error.errno]
        error = error.__cause__ or error.__context__
    return None
