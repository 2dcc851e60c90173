"""What is said while people wait, on stderr: bars in terminals and notebooks, whole lines in logs and pipes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from threading import Event, RLock, Thread
from typing import Any

from tqdm import autonotebook
from tqdm.auto import tqdm
from tqdm.std import tqdm as plain

plain.set_lock(RLock())  # the lock between processes, which is tqdm's own choice, takes 0.15 s to set up

PLURALS = {"galaxy": "galaxies", "spectrum": "spectra"}

EVERY = 10.0
"""Seconds between two lines."""


def say(text: str, shown: bool = True) -> None:
    """A line of its own."""
    if shown:
        plain.write(text, file=sys.stderr)


def bar(rows: Iterable[Any] | None = None, *, shown: bool = True, **options: Any) -> Any:
    """Progress of a loop, or of what calls `update`: what is done, and how long the rest will take.

    Args:
        rows: to loop over.
        shown: whether anything is shown.
        options: of tqdm.
    """
    moves = sys.stderr.isatty() or autonotebook.tqdm is not plain
    return (tqdm if moves else Lines)(rows, disable=not shown, **options)


@contextlib.contextmanager
def beating(bar: Any, said: Callable[[], str]) -> Iterator[None]:
    """Shows a bar anew while nothing is done, less and less often, with what there is to say of it.

    Args:
        bar: see `bar`.
        said: what follows it.
    """
    stop = Event()

    def beat() -> None:
        while not stop.wait(max(EVERY, 0.5 * bar.format_dict["elapsed"])):
            bar.set_postfix_str(said())

    thread = Thread(target=beat, daemon=True)
    if not bar.disable:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()


class Lines(plain):  # type: ignore[type-arg]
    """A bar for files and pipes, where nothing moves: a line now and then."""

    disable: bool

    def __init__(self, rows: Iterable[Any] | None = None, **options: Any) -> None:
        unit = options.get("unit", "it")
        many = PLURALS.get(unit, f"{unit}s")
        shape = f"{{desc}}: {{n_fmt}} of {{total_fmt}} {many}, " + "{elapsed} so far, about {remaining} to go{postfix}"
        super().__init__(rows, mininterval=EVERY, miniters=1, bar_format=shape, file=sys.stderr, **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Writes how far it is."""
        self.fp.write(f"{self}\n")
        self.fp.flush()

    def close(self) -> None:
        """Says nothing: what comes next is said by others."""
        if not self.disable:
            self.disable = True
            self._decr_instances(self)
