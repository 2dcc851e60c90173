"""A run in its folder: started from a plan, found again later."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import sweep
from jaxmetal.io.folder import output_folder, require_replaceable
from jaxmetal.io.sample.columns import POSTERIORS
from jaxmetal.run.catalogue import Catalogue
from jaxmetal.run.plans import FILE, RunPlan, read_plan, write_plan

CHUNKS, THUMBNAILS = "chunks", "thumbnails"
"""Folders of a run, beside that of its posteriors."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StartedRun:
    """A run that has a folder; whatever is in it is complete.

    Attributes:
        folder: of the run.
        plan: what is done.
        catalogue: of which galaxies.
    """

    folder: Path
    plan: RunPlan
    catalogue: Catalogue

    def names(self, number: int) -> list[str]:
        """The galaxies of a chunk."""
        return [self.catalogue.names[row] for row in self.plan.chunks[number]]

    def chunk_path(self, number: int) -> Path:
        """Where the rows of a chunk are."""
        return self.folder / CHUNKS / f"{number:05d}.json"

    def thumbnail_path(self, number: int) -> Path:
        """Where the pictures of a chunk are."""
        return self.folder / THUMBNAILS / f"{number:05d}.png"

    def posterior_path(self, name: str) -> Path:
        """Where the draws of a galaxy are, if they are kept."""
        return self.folder / POSTERIORS / f"{name}.nc"


def clear(run: StartedRun) -> None:
    """Removes what processes that were killed left half-written in the folder of a run."""
    for folder in (run.folder, *(run.folder / part for part in (CHUNKS, THUMBNAILS, POSTERIORS))):
        sweep(folder)


def start(plan: RunPlan, folder: str | Path) -> StartedRun:
    """Makes the folder of a run, with its plan and provenance; nothing is fitted yet.

    Args:
        plan: see `run.plan`.
        folder: to make.

    Raises:
        InputError: as `require_startable`, or if the catalogue has changed since it was planned.
    """
    require_startable(folder)
    with output_folder(folder, overwrite=None) as unfinished:
        write_plan(plan, unfinished)
    return resume(folder)


def require_startable(folder: str | Path) -> None:
    """Refuses a folder in which no run can be started; worth asking before a catalogue is read.

    Raises:
        InputError: if it exists, or its parent does not.
    """
    if (Path(folder) / FILE).is_file():
        raise InputError(
            f"The folder {folder} holds a run already; finish it with --resume (`run.resume`), or choose another name."
        )
    require_replaceable(folder, overwrite=None)


def resume(folder: str | Path, **expected: Any) -> StartedRun:
    """A run that was started before.

    Args:
        folder: of the run.
        **expected: what it should have been planned with, where that matters: `catalogue`, `configuration` (paths) and
            options, as `run.plan` takes them.

    Raises:
        InputError: if the folder holds no plan, a damaged one or one of a newer format, the catalogue or configuration
            has changed since, or something else was planned than is expected.
    """
    plan = read_plan(folder)
    planned: dict[str, Any] = plan.options | {name: Path(getattr(plan, name)).resolve() for name in plan.checksums}
    for name, value in expected.items():
        wanted = Path(value).resolve() if name in plan.checksums else value
        if wanted != planned.get(name):
            raise InputError(
                f"The run in {folder} was planned with {name} = {planned.get(name)}, found {wanted}; "
                "leave that as it was, or start another run in a new folder."
            )
    return StartedRun(folder=Path(folder), plan=plan, catalogue=plan.sample())
