"""Files and folders that are either complete or absent, and what keeps them from being written, in one sentence."""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jaxmetal.edge.errors import InputError

REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
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
    """A hidden name next to `path`, for a file or a folder that takes its place when the block ends.

    It vanishes when the block raises (Ctrl-C included).

    Raises:
        InputError: as `writing`.
    """
    target = Path(path).absolute()
    hidden = target.with_name(f".{secrets.token_hex(8)}")
    with writing(target):
        with contextlib.suppress(FileNotFoundError):
            target.lstat()  # A name that is too long is refused before anything is written.
        try:
            yield hidden
            _move(hidden, target)
        finally:
            shutil.rmtree(hidden) if hidden.is_dir() else hidden.unlink(missing_ok=True)


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


def _move(temporary: Path, target: Path) -> None:
    """Renames, with an old folder set aside until the new one is in place."""
    if not (temporary.is_dir() and target.exists()):
        temporary.replace(target)
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
