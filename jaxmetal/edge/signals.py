"""Signals that ask a process to end: where they have to wait, and SIGTERM as an exception."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import threading
from collections.abc import Iterator
from types import FrameType

TERMINATED = 143
"""Exit code of what was ended by SIGTERM."""

GRACE = 5.0
"""Seconds after SIGTERM for an orderly end."""
AGAIN = 0.05
"""Seconds until a signal is sent once more that came while the garbage collector ran."""


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
    """Makes SIGTERM the exception `SystemExit`, so that what is half-written is removed on the way out.

    While callbacks of the garbage collector run, as JAX has one, exceptions are lost: SIGTERM and Ctrl-C wait for their
    end. Python raises it between two of its own steps; where a compiled program runs on for longer than `GRACE`, the
    process ends at once, and the next run sweeps.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    interrupted = signal.getsignal(signal.SIGINT)
    before, woken = signal.signal(signal.SIGTERM, _end), signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    if interrupted is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    threading.Thread(target=_insist, args=(told,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        os.close(tell)
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
        signal.signal(signal.SIGINT, signal.SIG_DFL if interrupted is None else interrupted)


def _end(number: int, frame: FrameType | None) -> None:
    if not _put_off(number, frame):
        raise SystemExit(TERMINATED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _put_off(number, frame):
        signal.default_int_handler(number, frame)


def _put_off(number: int, frame: FrameType | None) -> bool:
    """Whether a signal came within a callback of the garbage collector: it is then sent again a little later."""
    callbacks = {getattr(one, "__code__", None) for one in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks:
            timer = threading.Timer(AGAIN, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()
            return True
        frame = frame.f_back
    return False


def _insist(told: int) -> None:
    """Ends the process when SIGTERM came and nothing followed, not even the end of the block."""
    with open(told, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] == signal.SIGTERM and not select.select([signals], [], [], GRACE)[0]:
                os._exit(TERMINATED)
