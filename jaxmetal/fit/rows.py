"""One function of many rows: in threads over a CPU's cores, vectorised and sharded over the devices elsewhere.

A row is a tree of numbers and arrays, "which problem" among them. However many rows there are, they are computed in
blocks of one length, so that another number of rows compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxmetal.edge.progress import bar
from jaxmetal.fit.memory import Block, budget, fitting
from jaxmetal.fit.program import signature
from jaxmetal.machine import alone_in_threads, in_threads, processors, program

WIDER = 64
"""How many times longer a block is where rows are computed in lock-step on accelerators, if their memory allows."""

PATIENCE = 3.0
"""Seconds after which a progress bar appears."""


def place(shared: Any) -> Any:
    """Arrays that all rows may read, on every device."""
    devices = jax.local_devices()
    return jax.device_put(shared, None if in_threads() else _everywhere(devices))


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

    Raises:
        InputError: if the devices have no memory for a single row.
    """
    count = len(jax.tree.leaves(rows)[0])
    devices = jax.local_devices()
    watch = partial(bar, desc=label, unit="block", shown=bool(label), delay=PATIENCE, leave=False)
    if in_threads():
        blocks = _blocks(rows, count, block)
        compute = partial(_block, function, settings, shared, together=False)
        # Programs release Python's lock; a thread that calls what another is compiling waits for it.
        pool = ThreadPoolExecutor(processors())
        try:
            with alone_in_threads():
                waiting = pool.map(lambda one: jax.block_until_ready(compute(one)), blocks)
                found = list(watch(waiting, total=len(blocks)))
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C what has not begun is dropped
    else:
        one = jax.tree.map(lambda leaf: leaf[0], rows)
        widest = block * (1 if devices[0].platform == "cpu" else WIDER)
        made = _together(function, settings, signature(shared), signature(one), widest, budget(devices))
        blocks = _blocks(rows, count, made.length * len(devices))
        found = list(_in_turn(made.program, shared, watch(blocks), _over(devices)))
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:count], *found)


def in_lock_step() -> bool:
    """Whether rows are computed side by side, where what goes to and fro costs more than what is computed."""
    return not in_threads()


def _over(devices: list[jax.Device]) -> NamedSharding:
    return NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec("rows"))


def _everywhere(devices: list[jax.Device]) -> NamedSharding:
    return NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec())


def _blocks(rows: Any, count: int, length: int) -> list[Any]:
    return [
        jax.tree.map(lambda leaf, at=at: _filled(leaf[at : at + length], length), rows)
        for at in range(0, count, length)
    ]


def _filled(rows: Any, length: int) -> Any:
    """Rows, and copies of the last one up to `length`."""
    return np.concatenate([rows, np.repeat(rows[-1:], length - len(rows), axis=0)]) if len(rows) < length else rows


def _in_turn(program: Any, shared: Any, blocks: Iterable[Any], over: NamedSharding) -> Iterator[Any]:
    """Results on the host, each fetched while the next block is computed: never more than two are on the devices."""
    last = None
    for one in blocks:
        now = program(shared, jax.device_put(one, over))
        if last is not None:
            yield jax.device_get(last)
        last = now
    yield jax.device_get(last)


@cache
def _together(function: Any, settings: Any, shared: Any, row: Any, widest: int, limit: int) -> Block:
    """The program of as many rows as the devices hold; `shared` and `row` are signatures."""
    devices = jax.local_devices()
    read = _described(shared, (), _everywhere(devices))

    def compiled(length: int) -> Any:
        rows = _described(row, (length * len(devices),), _over(devices))
        return _block.lower(function, settings, read, rows, together=True).compile()

    return fitting(compiled, widest, _bytes(shared), _bytes(row), limit)


def _described(kind: Any, in_front: tuple[int, ...], where: NamedSharding) -> Any:
    """A tree of this signature, without its numbers."""
    structure, leaves = kind
    return structure.unflatten(
        [jax.ShapeDtypeStruct((*in_front, *shape), dtype, sharding=where) for shape, dtype in leaves]
    )


def _bytes(kind: Any) -> int:
    return sum(int(np.prod(shape, dtype=int)) * dtype.itemsize for shape, dtype in kind[1])


@program(static_argnums=(0, 1), static_argnames="together")
def _block(function: Any, settings: Any, shared: Any, rows: Any, together: bool) -> Any:
    def one(row: Any) -> Any:
        return function(settings, shared, row)

    return jax.vmap(one)(rows) if together else jax.lax.map(one, rows)
