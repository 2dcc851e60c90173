"""One chunk of a run: what a process, a job of an array or a worker of a cluster does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.galaxies import Galaxy, batch
from jaxmetal.io.folder import writing
from jaxmetal.io.sample.columns import GOOD, POSTERIORS
from jaxmetal.io.save import save_draws
from jaxmetal.posterior import Posterior
from jaxmetal.result.views import View, view
from jaxmetal.run.catalogue import Catalogue
from jaxmetal.run.plan import RunPlan, read_plan, write_whole
from jaxmetal.run.rows import Row, row, row_of_failure, whereabouts, write_rows
from jaxmetal.run.table import CHUNKS, THUMBNAILS, chunk_path, posterior_path

if TYPE_CHECKING:
    from jaxmetal.plot.thumbnails import Thumbnail

FITTING = ("method", "seed", "chains", "draws", "warmup", "start_count", "target_accept", "pad", "memory")
"""Options of a plan that `fit.batch` takes."""

DPI = 110


class Known(NamedTuple):
    """What a row says of a galaxy besides its fit."""

    kpc_per_arcsec: float | None
    whereabouts: Row


class Picture(NamedTuple):
    """What the page of a chunk shows of a galaxy; little, for all posteriors of a chunk would fill the memory."""

    thumbnail: Thumbnail
    unit: str


def fit_chunk(folder: str, number: int, watch: Callable[[Row], None] = lambda found: None) -> int:
    """Fits the galaxies of a chunk and writes its rows when all are done.

    Args:
        folder: of the run.
        number: of the chunk.
        watch: called with each row as it is done.

    Returns:
        How many galaxies the chunk has.
    """
    plan = read_plan(folder)
    with writing(folder):
        for part in (CHUNKS, THUMBNAILS, POSTERIORS):
            (Path(folder) / part).mkdir(exist_ok=True)
    jax.config.update("jax_enable_x64", not plan.options["float32"])
    known: dict[str, Known] = {}
    failures: dict[str, Exception] = {}
    galaxies = _galaxies(plan, plan.sample(), number, known, failures)
    options = {name: plan.options[name] for name in FITTING if name in plan.options}
    rows: list[Row] = []
    pictures: dict[str, Picture] = {}
    for name, result in batch(galaxies, progress=False, **options):
        seen = view(result) if isinstance(result, Posterior) else result
        rows.append(_row(name, seen, known[name]))
        if isinstance(seen, View):
            pictures[name] = _picture(seen, rows[-1])
            if plan.options["posteriors"]:
                _keep(seen, posterior_path(Path(folder), name))
        watch(rows[-1])
    for name, error in failures.items():
        rows.append(row_of_failure(name, error))
        watch(rows[-1])
    if pictures:
        # In the catalogue's order, whatever the order in which they were fitted.
        _draw([pictures[name] for name in known if name in pictures], Path(folder) / THUMBNAILS / f"{number:05d}.png")
    write_rows(chunk_path(Path(folder), number), rows)
    return len(rows)


def _galaxies(
    plan: RunPlan, sample: Catalogue, number: int, known: dict[str, Known], failures: dict[str, Exception]
) -> Iterator[Galaxy]:
    """Galaxies of a chunk as they are read; those that cannot be are put aside."""
    for index in plan.chunks[number]:
        name = sample.names[index]
        try:
            job = sample.job(index)
            plan.require_unchanged(job)
        except Exception as error:  # whatever is wrong with one galaxy's files must not stop the others
            failures[name] = error
            continue
        known[name] = Known(job.kpc_per_arcsec, whereabouts(job))
        yield Galaxy(
            name=name,
            scene=job.scene,
            observations=job.observations,
            start=job.settings["start"],
            sampling=job.settings["sampling"],
        )


def _row(name: str, seen: View | InputError, known: Known) -> Row:
    if not isinstance(seen, View):
        return row_of_failure(name, seen)
    return row(name, seen, known.kpc_per_arcsec) | known.whereabouts


def _keep(seen: View, path: Path) -> None:
    """Draws as netCDF. By way of memory: the library does not survive a full disk."""
    made = BytesIO()
    save_draws(seen, made)
    write_whole(path, made.getvalue())


def _picture(seen: View, found: Row) -> Picture:
    """The first light-weighted map, or else the first observation, of a galaxy."""
    from jaxmetal.plot.of_posterior import map_fit
    from jaxmetal.plot.thumbnails import Thumbnail

    labels = seen.posterior.observations
    maps = [label for label in labels if seen.filled[label].properties]
    drawn = map_fit(seen, (maps or labels)[0])
    thumbnail = Thumbnail(found["name"].value, *drawn.painted(), found["status"].value == GOOD)
    return Picture(thumbnail, drawn.quantity.unit)


def _draw(pictures: list[Picture], path: Path) -> None:
    """The page of a chunk."""
    from jaxmetal.plot.thumbnails import page

    drawing = BytesIO()
    page([picture.thumbnail for picture in pictures], pictures[-1].unit).savefig(drawing, dpi=DPI, format="png")
    write_whole(path, drawing.getvalue())
