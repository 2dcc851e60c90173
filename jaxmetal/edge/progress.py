"""What is said while people wait, on stderr: bars in terminals and notebooks, whole lines in logs and pipes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import RLock
from typing import Any

from tqdm import autonotebook
from tqdm.auto import tqdm
from tqdm.std import tqdm as plain

plain.set_lock(RLock())  # the lock between processes, which is tqdm's own choice, takes 0.15 s to set up

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


class Lines(plain):  # type: ignore[type-arg]
    """A bar for files and pipes, where nothing moves: a line now and then."""

    disable: bool

    def __init__(self, rows: Iterable[Any] | None = None, **options: Any) -> None:
        shape = "{desc}: {n_fmt} of {total_fmt} {unit}s, {elapsed} so far, about {remaining} to go{postfix}"
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
