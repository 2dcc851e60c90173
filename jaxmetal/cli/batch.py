"""`jaxmetal batch CATALOGUE --config CONFIG.toml --out FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_engine, start
from jaxmetal.edge.errors import InputError


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("batch", help="fit all galaxies of a catalogue side by side")
    command.add_argument("catalogue", metavar="CATALOGUE", help="ECSV, FITS or CSV with a column 'name'")
    command.add_argument("--config", metavar="CONFIG.toml", required=True, help="what all galaxies share")
    command.add_argument("-o", "--out", metavar="FOLDER", required=True, help="folder of the run")
    command.add_argument("--resume", action="store_true", help="finish a run that was interrupted")
    command.add_argument("--plan", action="store_true", help="only read, report and write the plan")
    command.add_argument("--chunk", type=int, metavar="N", help="fit chunk N of a planned run (for job arrays)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does the chunks")
    command.add_argument("--posteriors", action="store_true", help="keep the draws of every galaxy, as netCDF")
    less = "galaxies per chunk, the most that an interrupted run loses"
    command.add_argument("--chunk-size", type=int, metavar="N", help=f"{less}; default: a minute's worth, 64 at most")
    command.add_argument("--memory", type=float, metavar="GIB", help="for those fitted together; default: 1")
    command.add_argument("--method", help="auto, nuts, map (no draws), ... (see fit.METHODS); default: the file's")
    command.add_argument("--seed", type=int, help="of all random numbers; default: the configuration's")
    command.add_argument("--quiet", action="store_true", help="no report and no progress bars")
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Plans, fits what is missing, collects."""
    start(arguments)
    from jaxmetal.run import collect, missing, resume

    folder = Path(arguments.out)
    if not (arguments.resume or arguments.chunk is not None):
        _begin(arguments, folder)
        if arguments.plan:
            return
    asked = {name: value for name, value in _asked(arguments).items() if value is not False}
    found = resume(folder, catalogue=arguments.catalogue, configuration=arguments.config, **asked)
    if wanted := _wanted(arguments, found):
        try:
            _fit(found, wanted, arguments)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"finished chunks are kept in {folder}, and --resume does the others") from None
    if left := missing(found):
        print(f"{len(left)} of {len(found.plan.chunks)} chunks are still to be fitted; --resume then writes the table.")
    else:
        print(collect(found), end="")
        print(f"\nWritten to {folder}")


def _begin(arguments: argparse.Namespace, folder: Path) -> None:
    """Reads the catalogue, reports, and makes the folder of the run."""
    from jaxmetal import run as runs
    from jaxmetal.edge.progress import bar

    runs.require_startable(folder)
    if arguments.scheduler:
        from jaxmetal.run.cluster import connect

        connect(arguments.scheduler).close()
    plan = runs.plan(
        arguments.catalogue,
        arguments.config,
        **_asked(arguments),
        timed=not arguments.quiet,
        watch=lambda things, doing, each: bar(things, desc=doing, unit=each, shown=not arguments.quiet),
    )
    if not arguments.quiet:
        print(runs.report(plan), flush=True)
    runs.start(plan, folder)


def _wanted(arguments: argparse.Namespace, found: Any) -> list[int]:
    """Chunks to fit: those that are missing, or of these the one that was asked for."""
    from jaxmetal.run import missing

    left = missing(found, unread=arguments.resume)
    if arguments.chunk is None:
        return left
    count = len(found.plan.chunks)
    if not 0 <= arguments.chunk < count:
        raise InputError(f"--chunk: expected 0 to {count - 1}, the chunks of {found.folder}, found {arguments.chunk}.")
    return [number for number in left if number == arguments.chunk]


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options that were given on the command line; flags always are."""
    names = ("method", "seed", "chunk_size", "memory", "float32", "posteriors")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _fit(found: Any, wanted: list[int], arguments: argparse.Namespace) -> None:
    from jaxmetal.edge.progress import bar as progress_bar
    from jaxmetal.edge.progress import beating
    from jaxmetal.run import Done, Expectation, fit

    failed, expected = 0, Expectation(found, wanted)
    total = sum(len(found.names(number)) for number in wanted)
    with progress_bar(total=total, unit="galaxy", desc="compiling and fitting", shown=not arguments.quiet) as bar:

        def said() -> str:
            late = expected.corrected(bar.n, bar.format_dict["elapsed"])
            return f"failed={failed}" + (f", {late}" if late else "")

        def watch(done: Done) -> None:
            nonlocal failed
            failed += done.failed
            bar.set_description_str("fitting", refresh=False)
            bar.set_postfix_str(said(), refresh=False)
            bar.update(done.galaxies)

        with beating(bar, said):
            fit(found, wanted, scheduler=arguments.scheduler, watch=watch)
