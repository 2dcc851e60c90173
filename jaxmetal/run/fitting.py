"""Which chunks of a run are still to be fitted, and fitting them, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from jaxmetal.edge.errors import InputError
from jaxmetal.io.sample.columns import FAILED
from jaxmetal.io.sealed import intact
from jaxmetal.run.chunk import Done, fit_chunk
from jaxmetal.run.cluster import fit_on_cluster
from jaxmetal.run.rows import UNREAD, Entry
from jaxmetal.run.started import StartedRun, clear
from jaxmetal.run.table import rows_of


def missing(run: StartedRun, *, unread: bool = False) -> list[int]:
    """Numbers of the chunks that are still to be fitted: their rows or a posterior to be kept are absent or damaged.

    Args:
        run: see `run.start`, `run.resume`.
        unread: also those with galaxies that could not be read: their files may have been mended since.
    """
    wanted = {number for number in range(len(run.plan.chunks)) if not _complete(run, number)}
    return sorted(wanted | set(_unread(run))) if unread else sorted(wanted)


def fit(
    run: StartedRun,
    chunks: Iterable[int] | None = None,
    *,
    scheduler: str | None = None,
    watch: Callable[[Done], None] = lambda done: None,
) -> None:
    """Fits chunks and writes the rows of each when all its galaxies are done.

    What is interrupted loses the chunk that it was at; `missing` says which are left.

    Args:
        run: see `run.start`, `run.resume`.
        chunks: their numbers; default: `missing`.
        scheduler: address of a Dask cluster that does them, whose workers see the same folder.
        watch: called as galaxies are done (on a cluster: as chunks are).

    Raises:
        InputError: if there is no chunk of a number, no scheduler answers, or the folder cannot be written.
    """
    wanted = missing(run) if chunks is None else list(chunks)
    for number in wanted:
        if not 0 <= number < len(run.plan.chunks):
            raise InputError(
                f"chunk: expected 0 to {len(run.plan.chunks) - 1}, the chunks of {run.folder}, found {number}."
            )
    clear(run)
    if scheduler and wanted:
        for done in fit_on_cluster(run.folder, wanted, scheduler):
            watch(done)
        return
    for number in wanted:
        fit_chunk(run, number, watch)


def _unread(run: StartedRun) -> Iterator[int]:
    """Chunks with galaxies whose files could not be read, be it when they were planned or when they were fitted."""
    for number, members in enumerate(run.plan.chunks):
        # Rows of before do not say why they failed. What could not be planned has chunks of its own.
        unknown = Entry(str(members[0]) in run.plan.unreadable, "", "")
        failed = [row for row in rows_of(run, number) or [] if row["status"].value == FAILED]
        if any(row.get(UNREAD, unknown).value for row in failed):
            yield number


def _complete(run: StartedRun, number: int) -> bool:
    rows = rows_of(run, number)
    if rows is None or not run.plan.options["posteriors"]:
        return rows is not None
    fitted = (row["name"].value for row in rows if row["status"].value != FAILED)
    return all(intact(run.posterior_path(name)) for name in fitted)
