"""Signals that ask a process to end: where they have to wait, and SIGTERM as an exception."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

TERMINATED = 143
"""Exit code of what was ended by SIGTERM."""


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM wait until the block ends: some steps must not end in the middle."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python interrupts its main thread alone
        return
    came: list[int] = []
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in before:
        signal.signal(one, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM the exception `SystemExit`, so that what is half-written is removed on the way out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
