"""One function of many rows: in threads over a CPU's cores, vectorised and sharded over the devices elsewhere.

A row is a tree of numbers and arrays, "which problem" among them. However many rows there are, they are computed in
blocks of one length, so that another number of rows compiles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from tqdm.auto import tqdm

WIDER = 64
"""How many times longer a block is where rows are computed in lock-step on accelerators."""

PATIENCE = 3.0
"""Seconds after which a progress bar appears."""


def place(shared: Any) -> Any:
    """Arrays that all rows may read, on every device."""
    devices = jax.local_devices()
    if len(devices) == 1:
        return jax.device_put(shared)
    return jax.device_put(shared, NamedSharding(_mesh(devices), PartitionSpec()))


def each(
    function: Callable[[Any, Any, Any], Any], settings: Any, shared: Any, rows: Any, block: int, label: str = ""
) -> Any:
    """`function(settings, shared, row)` of every row.

    Args:
        function: pure, and defined once (it is part of the compiled program).
        settings: hashable, part of the compiled program.
        shared: from `place`.
        rows: tree of arrays with the rows in front.
        block: rows per call on a CPU.
        label: of a progress bar, for what takes longer than a few seconds; none without.

    Returns:
        The results, stacked as NumPy arrays.
    """
    count = len(jax.tree.leaves(rows)[0])
    devices = jax.local_devices()
    watch = partial(tqdm, desc=label, unit="block", disable=not label, delay=PATIENCE, leave=False)
    alone = len(devices) == 1 and devices[0].platform == "cpu"
    length = block * len(devices) * (1 if devices[0].platform == "cpu" else WIDER)
    blocks = [
        jax.tree.map(lambda leaf, at=at: _filled(leaf[at : at + length], length), rows)
        for at in range(0, count, length)
    ]
    if alone:
        compute = partial(_block, function, settings, shared, together=False)
        # Programs release Python's lock; a thread that calls what another is compiling waits for it.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = pool.map(lambda one: jax.block_until_ready(compute(one)), blocks)
            found = list(watch(waiting, total=len(blocks)))
    else:
        over = NamedSharding(_mesh(devices), PartitionSpec("rows"))
        found = [_block(function, settings, shared, jax.device_put(one, over), together=True) for one in watch(blocks)]
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:count], *found)


def _mesh(devices: list[jax.Device]) -> Mesh:
    return Mesh(np.array(devices), ("rows",))


def _filled(rows: Any, length: int) -> Any:
    """Rows, and copies of the last one up to `length`."""
    return np.concatenate([rows, np.repeat(rows[-1:], length - len(rows), axis=0)]) if len(rows) < length else rows


@partial(jax.jit, static_argnums=(0, 1), static_argnames="together")
def _block(function: Any, settings: Any, shared: Any, rows: Any, together: bool) -> Any:
    def one(row: Any) -> Any:
        return function(settings, shared, row)

    return jax.vmap(one)(rows) if together else jax.lax.map(one, rows)
