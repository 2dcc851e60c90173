"""Chunks on a Dask cluster: each is a task, and a task whose worker dies is given to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.machine import keep_memory, keep_programs, keeps_programs
from jaxmetal.run.chunk import Done, fit_chunk
from jaxmetal.run.started import resume

PATIENCE = "20s"
"""How long the scheduler may take to answer."""

DEATHS = 3
"""Workers that may die with a chunk before it is given up."""


def connect(address: str) -> Any:
    """A client of a scheduler.

    Args:
        address: e.g. "tcp://10.0.0.1:8786".

    Raises:
        InputError: if Dask is not installed, or no scheduler answers.
    """
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask, which is not installed; pip install 'jaxmetal[dask]'.") from None
    dask.config.set({"distributed.scheduler.allowed-failures": DEATHS})
    try:
        return Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"--scheduler: no Dask scheduler answers at {address} ({reason}); check the address."
        ) from None


def fit_on_cluster(folder: Path, wanted: list[int], address: str) -> Iterator[Done]:
    """Fits chunks on the workers of a scheduler, which see the same folder; yields what was done as each is.

    Args:
        folder: of the run, on a file system that all workers share.
        wanted: numbers of the chunks.
        address: see `connect`.

    Raises:
        InputError: as `connect`.
    """
    with connect(address) as client:
        from distributed import as_completed

        submitted = [
            client.submit(_fit_chunk, str(folder.absolute()), number, keeps_programs(), pure=False, retries=DEATHS)
            for number in wanted
        ]
        for finished in as_completed(submitted):
            yield finished.result()


def _fit_chunk(folder: str, number: int, keep: bool) -> Done:
    """What a worker does; it keeps compiled programs, on its own machine, if the process that asks for this does."""
    keep_memory()
    if keep:
        keep_programs()
    import dask

    # Else xarray asks the cluster for a lock on each file of draws, which fails for those that are made in memory.
    with dask.config.set(scheduler="synchronous"):
        return fit_chunk(resume(folder), number)
