"""Standard output and error as they are found: closed, full, or unable to write every letter."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator

from jaxmetal.edge.errors import InputError

FULL = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "a file may not be so large here; raise the limit (ulimit -f)",
    errno.EIO: "the terminal is gone; redirect it",
}
"""Why nothing more can be printed, and what to do."""


def ready() -> None:
    """Opens what the caller closed, and writes letters that the output does not know as escapes."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # It takes the lowest number that is free, so that no file of ours does.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """Prints all that there is when the block ends, where trouble can still be answered.

    Raises:
        InputError: if it cannot be written.
        BrokenPipeError: if nobody reads it.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        _silence()
        raise InputError(f"What is printed cannot be written because {FULL[error.errno]}.") from error


def complain(text: str) -> None:
    """A line on standard error, if that can be."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _silence() -> None:
    """What is left in the buffer goes nowhere, or the interpreter would try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
