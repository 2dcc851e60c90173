"""How many rows a device computes at once: XLA's own account of what a program takes, against a stated budget.

The budget is a share of what the device grants. Against it count what all rows read, what the program keeps while it
runs, and the rows and results of two blocks, since one is on its way while the next is computed. Run so far on CPUs
alone, several of them simulated: the numbers of a GPU are used as it gives them. A machine with one CPU computes rows
one by one, in threads, and needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from jaxmetal.edge.errors import InputError

SHARE = 0.75
"""Of what a device grants; the rest is for programs, for gaps between arrays, and for what others hold there."""

UNSAID = 2 * 2**30
"""Bytes granted by devices that say nothing, as CPUs."""

MIB = 2**20


class Block(NamedTuple):
    """A compiled program of many rows.

    Attributes:
        program: compiled, a function of what all rows read and of the rows.
        length: rows on each device.
        needs: bytes on each device.
    """

    program: Any
    length: int
    needs: int


def budget(devices: Sequence[jax.Device]) -> int:
    """Bytes on each device that rows computed together may take, with all that they read."""
    return int(SHARE * min((device.memory_stats() or {}).get("bytes_limit", UNSAID) for device in devices))


def fitting(compiled: Callable[[int], Any], widest: int, shared: int, row: int, limit: int) -> Block:
    """The longest of `widest`, `widest` / 2, `widest` / 4, ... rows on each device whose program fits into the budget.

    What does not fit says by how much, so that few lengths are compiled: one where the widest fits, else mostly two.

    Args:
        compiled: the program of so many rows on each device.
        widest: rows on each device, at most.
        shared: bytes that all rows read.
        row: bytes of one row.
        limit: the budget, bytes on each device.

    Raises:
        InputError: if not even one row fits.
    """
    length = widest
    while True:
        program = compiled(length)
        account = program.memory_analysis()
        needs = shared + account.temp_size_in_bytes + 2 * (length * row + account.output_size_in_bytes)
        if needs <= limit:
            return Block(program, length, needs)
        if length == 1:
            raise InputError(
                f"One row of this fit needs {needs / MIB:.3g} MiB on each device, found {limit / MIB:.3g} MiB "
                f"({SHARE:.0%} of what the device grants); choose a smaller oversampling, float32, less `memory` for "
                "galaxies fitted together, or another device."
            )
        each = (needs - shared) / length
        length //= 2
        while length > 1 and shared + length * each > limit:
            length //= 2
