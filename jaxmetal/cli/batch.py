"""`jaxmetal batch CATALOGUE --config CONFIG.toml --out FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_precision, start
from jaxmetal.edge.errors import InputError

DEFAULTS = {"chunk_size": 64, "memory": 1.0}
"""Galaxies per chunk; GiB for galaxies fitted together."""


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
    size, memory = DEFAULTS.values()
    less = "galaxies per chunk, the most that an interrupted run loses"
    command.add_argument("--chunk-size", type=int, metavar="N", help=f"{less}; default: {size}")
    command.add_argument("--memory", type=float, metavar="GIB", help=f"for those fitted together; default: {memory:g}")
    command.add_argument("--method", help="auto, nuts, map (no draws), ... (see fit.METHODS); default: the file's")
    command.add_argument("--seed", type=int, help="of all random numbers; default: the configuration's")
    command.add_argument("--quiet", action="store_true", help="no report and no progress bars")
    add_precision(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Plans, fits what is missing, collects."""
    start(arguments)
    from jaxmetal.run.plan import read_plan
    from jaxmetal.run.table import collect, missing, unread

    folder = Path(arguments.out)
    if not (arguments.resume or arguments.chunk is not None):
        _begin(arguments, folder)
        if arguments.plan:
            return
    plan = read_plan(folder)
    _require_as_planned(arguments, plan)
    sample = plan.sample()
    wanted = missing(folder, plan, sample)
    if arguments.resume:
        wanted = sorted({*wanted, *unread(folder, plan, sample)})
    if arguments.chunk is not None:
        if not 0 <= arguments.chunk < len(plan.chunks):
            raise InputError(
                f"--chunk: expected 0 to {len(plan.chunks) - 1}, the chunks of {folder}, found {arguments.chunk}."
            )
        wanted = [number for number in wanted if number == arguments.chunk]
    if wanted:
        try:
            _fit(folder, wanted, {n: len(plan.chunks[n]) for n in wanted}, arguments)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"finished chunks are kept in {folder}, and --resume does the others") from None
    if left := missing(folder, plan, sample):
        print(f"{len(left)} of {len(plan.chunks)} chunks are still to be fitted; --resume then writes the table.")
    else:
        print(collect(folder, plan, sample), end="")
        print(f"\nWritten to {folder}")


def _begin(arguments: argparse.Namespace, folder: Path) -> None:
    """Reads the catalogue, reports, and makes the folder of the run."""
    from jaxmetal.fit.choose import checked
    from jaxmetal.fit.method import Options
    from jaxmetal.io.config.table import child
    from jaxmetal.io.folder import output_folder, require_replaceable
    from jaxmetal.run.catalogue import read_catalogue
    from jaxmetal.run.expect import report
    from jaxmetal.run.plan import FILE, make_plan, write_plan

    if (folder / FILE).is_file():
        raise InputError(f"The folder {folder} holds a run already; finish it with --resume, or choose another name.")
    require_replaceable(folder, overwrite=None)
    if arguments.scheduler:
        from jaxmetal.run.cluster import connect

        connect(arguments.scheduler).close()
    catalogue = read_catalogue(arguments.catalogue, arguments.config)
    shared, _ = child(catalogue.configuration, "fit", "", {})
    options = {"method": "auto", "seed": 0, **shared, **DEFAULTS, **_asked(arguments)}
    checked(Options.among(options))
    if options["chunk_size"] < 1 or not options["memory"] > 0:
        raise InputError("--chunk-size and --memory: expected numbers above 0; correct them.")
    plan = make_plan(catalogue, options, lambda rows: _bar(rows, arguments.quiet, "reading"))
    if len(plan.unreadable) == len(catalogue.names):
        raise InputError(
            f"No galaxy of {catalogue.path} can be read; the first: {next(iter(plan.unreadable.values()))}"
        )
    if not arguments.quiet:
        print(report(plan, catalogue), flush=True)
    with output_folder(folder, overwrite=None) as unfinished:
        write_plan(plan, unfinished, catalogue.configuration)


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options that were given on the command line; flags always are."""
    names = ("method", "seed", "chunk_size", "memory", "float32", "posteriors")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _require_as_planned(arguments: argparse.Namespace, plan: Any) -> None:
    """Refuses arguments that a planned run cannot heed; what is left out is as planned."""
    planned = plan.options | {name: Path(getattr(plan, name)).resolve() for name in plan.checksums}
    given = {"catalogue": Path(arguments.catalogue).resolve(), "configuration": Path(arguments.config).resolve()}
    given |= {name: value for name, value in _asked(arguments).items() if value is not False}
    for name, value in given.items():
        if value != planned.get(name):
            raise InputError(
                f"The run in {arguments.out} was planned with {name} = {planned.get(name)}, found {value}; "
                "leave that as it was, or start another run in a new folder."
            )


def _fit(folder: Path, wanted: list[int], sizes: dict[int, int], arguments: argparse.Namespace) -> None:
    from tqdm.auto import tqdm

    from jaxmetal.io.sample.columns import FAILED

    failed = 0
    total = sum(sizes.values())
    with tqdm(total=total, unit="galaxy", desc="compiling and fitting", disable=arguments.quiet) as bar:

        def watch(found: dict[str, Any]) -> None:
            nonlocal failed
            failed += found["status"].value == FAILED
            bar.set_description("fitting", refresh=False)
            bar.set_postfix(failed=failed, refresh=False)
            bar.update()

        if arguments.scheduler:
            from jaxmetal.run.cluster import fit_on_cluster

            for number in fit_on_cluster(folder, wanted, arguments.scheduler):
                bar.update(sizes[number])
            return
        from jaxmetal.run.chunk import fit_chunk

        for number in wanted:
            fit_chunk(str(folder), number, watch)


def _bar(rows: Iterable[int], quiet: bool, what: str) -> Iterable[int]:
    from tqdm.auto import tqdm

    return tqdm(rows, desc=what, unit="galaxy", disable=quiet, file=sys.stderr)
