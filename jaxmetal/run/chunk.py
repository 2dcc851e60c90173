"""One chunk of a run: what a process, a job of an array or a worker of a cluster does."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.writing import write_whole, writing
from jaxmetal.fit.galaxies import Galaxy, batch
from jaxmetal.io.fit_files import save_draws
from jaxmetal.io.sample.columns import FAILED, GOOD, POSTERIORS
from jaxmetal.posterior import Posterior
from jaxmetal.result.views import View, view
from jaxmetal.run.rows import Row, row, row_of_failure, whereabouts, write_rows
from jaxmetal.run.started import CHUNKS, THUMBNAILS, StartedRun

if TYPE_CHECKING:
    from jaxmetal.plot.thumbnails import Thumbnail

FITTING = ("method", "seed", "chains", "draws", "warmup", "start_count", "target_accept", "pad", "memory")
"""Options of a plan that `fit.batch` takes."""

DPI = 110


class Known(NamedTuple):
    """What a row says of a galaxy besides its fit."""

    scales: dict[str, float]
    whereabouts: Row
    findings: tuple[Finding, ...]


class Glance(NamedTuple):
    """What the page of a chunk shows of a galaxy; little, for all posteriors of a chunk would fill the memory."""

    thumbnail: Thumbnail
    unit: str


class Done(NamedTuple):
    """What was done of a run since the last word of it.

    Attributes:
        galaxies: how many.
        failed: how many of them have no fit.
    """

    galaxies: int
    failed: int


def fit_chunk(run: StartedRun, number: int, watch: Callable[[Done], None] = lambda done: None) -> Done:
    """Fits the galaxies of a chunk, in the precision of the plan, and writes its rows when all are done.

    Args:
        run: see `run.start`, `run.resume`.
        number: of the chunk.
        watch: called as each galaxy is done.

    Returns:
        What was done of the chunk.
    """
    with writing(run.folder):
        for part in (CHUNKS, THUMBNAILS, POSTERIORS):
            (run.folder / part).mkdir(exist_ok=True)
    with _precision(run.plan.options["float32"]):
        rows, glances = _fitted(run, number, watch)
    write_rows(run.chunk_path(number), rows)
    if glances:
        _draw(glances, run.thumbnail_path(number))
    return Done(len(rows), sum(row["status"].value == FAILED for row in rows))


@contextlib.contextmanager
def _precision(single: bool) -> Iterator[None]:
    """Sets JAX's precision for as long as the block runs, in all its threads."""
    before = jnp.result_type(float) == jnp.float64
    jax.config.update("jax_enable_x64", not single)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def _fitted(run: StartedRun, number: int, watch: Callable[[Done], None]) -> tuple[list[Row], list[Glance]]:
    """The rows of a chunk, and what its page shows; its posteriors are written on the way."""
    known: dict[str, Known] = {}
    failures: dict[str, Exception] = {}
    options = {name: run.plan.options[name] for name in FITTING if name in run.plan.options}
    rows: list[Row] = []
    pictures: dict[str, Glance] = {}
    for name, result in batch(_galaxies(run, number, known, failures), progress=False, **options):
        seen = view(result) if isinstance(result, Posterior) else result
        rows.append(_row(name, seen, known[name]))
        if isinstance(seen, View):
            with _lost(f"of {name} on the page of its chunk"):
                pictures[name] = _glance(seen, rows[-1])
            if run.plan.options["posteriors"]:
                save_draws(seen, run.posterior_path(name))
        watch(Done(1, int(not isinstance(seen, View))))
    for name, error in failures.items():
        rows.append(row_of_failure(name, error, unread=True))
        watch(Done(1, 1))
    # In the catalogue's order, whatever the order in which they were fitted.
    return rows, [pictures[name] for name in known if name in pictures]


@contextlib.contextmanager
def _lost(name: str) -> Iterator[None]:
    """Says that a picture could not be drawn, which stops nothing."""
    from jaxmetal.plot.saved import lost_picture

    try:
        yield
    except (InputError, OSError):
        raise
    except Exception as error:  # whatever a library raises over what it has never been given before
        warnings.warn(lost_picture(name, error).text, stacklevel=2)


def _galaxies(
    run: StartedRun, number: int, known: dict[str, Known], failures: dict[str, Exception]
) -> Iterator[Galaxy]:
    """Galaxies of a chunk as they are read; those that cannot be are put aside."""
    for index, name in zip(run.plan.chunks[number], run.names(number), strict=True):
        try:
            job = run.catalogue.job(index)
            run.plan.require_unchanged(job)
        except Exception as error:  # whatever is wrong with one galaxy's files must not stop the others
            failures[name] = error
            continue
        known[name] = Known(job.scales, whereabouts(job), job.findings)
        yield Galaxy(
            name=name,
            scene=job.scene,
            observations=job.observations,
            start=job.settings["start"],
            sampling=job.settings["sampling"],
        )


def _row(name: str, seen: View | InputError, known: Known) -> Row:
    if not isinstance(seen, View):
        return row_of_failure(name, seen, unread=False)
    return row(name, seen, known.scales, known.findings) | known.whereabouts


def _glance(seen: View, found: Row) -> Glance:
    """The first light-weighted map, or else the first observation, of a galaxy."""
    from jaxmetal.plot.formulae import literal
    from jaxmetal.plot.of_posterior import map_fit
    from jaxmetal.plot.thumbnails import Thumbnail

    labels = seen.posterior.observations
    maps = [label for label in labels if seen.filled[label].properties]
    drawn = map_fit(seen, (maps or labels)[0])
    thumbnail = Thumbnail(literal(found["name"].value), *drawn.painted(), found["status"].value == GOOD)
    return Glance(thumbnail, drawn.quantity.unit)


def _draw(pictures: list[Glance], path: Path) -> None:
    """The page of a chunk."""
    from jaxmetal.plot.thumbnails import page

    drawing = BytesIO()
    with _lost(path.name):
        page([picture.thumbnail for picture in pictures], pictures[-1].unit).savefig(drawing, dpi=DPI, format="png")
        write_whole(path, drawing.getvalue())
