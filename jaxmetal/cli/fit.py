"""`jaxmetal fit CONFIG.toml`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_engine, add_quiet, import_ahead, start
from jaxmetal.cli.output import add_output, folder_of
from jaxmetal.io.folder import require_replaceable


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("fit", help="fit what a TOML file describes and write a folder of results")
    command.add_argument("config", metavar="CONFIG.toml")
    add_output(command, ending="-results")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--method", help="auto, nuts, map (no draws), ... (see fit.METHODS); default: the file's")
    how.add_argument(
        "--quick",
        dest="method",
        action="store_const",
        const="quick",
        help="a first look in seconds: the maximum with the errors of the Gaussian around it",
    )
    command.add_argument("--start", metavar="FOLDER", help="begin at the best values of an earlier fit's results")
    command.add_argument("--seed", type=int, help="of all random numbers; default: the file's")
    command.add_argument(
        "--resume", action="store_true", help="go on where this fit was interrupted, and replace what it wrote then"
    )
    add_quiet(command)
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Reads, fits, writes."""
    start(arguments)
    from jaxmetal.io.config import read_config
    from jaxmetal.io.stored import best_values
    from jaxmetal.model import tree
    from jaxmetal.prior import sites

    folder = folder_of(arguments, arguments.config)
    overwrite = arguments.overwrite or arguments.resume
    require_replaceable(folder, overwrite)
    job = read_config(arguments.config)
    asked = {key: getattr(arguments, key) for key in ("method", "seed") if getattr(arguments, key) is not None}
    if arguments.start:
        free = sites(tree(job.scene, job.observations))
        asked["start"] = {**job.settings["start"], **best_values(arguments.start, free)}
    fit_job(job, folder, overwrite=overwrite, resume=arguments.resume, quiet=arguments.quiet, asked=asked)


def fit_job(job: Any, folder: Path, *, overwrite: bool, resume: bool, quiet: bool, asked: dict[str, Any]) -> None:
    """Fits what a configuration describes and writes the folder; `asked` replaces its own keywords of `fit.auto`."""
    from jaxmetal.chains import Kept
    from jaxmetal.edge.progress import say
    from jaxmetal.fit import auto

    import_ahead()
    unfinished = folder.with_name(f".{folder.name}.chains")
    for finding in job.findings:
        print(finding, file=sys.stderr)
    posterior = auto(
        job.scene,
        job.observations,
        progress=not quiet,
        cut_short=True,
        keep=Kept(unfinished, resume),
        **{**job.settings, **asked},
    )
    from jaxmetal.cli.results import write_results

    say(f"Writing numbers, maps and pictures to {folder}.", not quiet)
    write_results(
        posterior,
        folder,
        overwrite,
        origin=job.origin,
        kpc_per_arcsec=job.scales,
        inputs=job.inputs,
        configuration=job.configuration,
    )
    if posterior.stopped:
        more = ", and --resume goes on" if unfinished.is_file() else ""
        raise KeyboardInterrupt(f"what there was is in {folder}{more}")
    unfinished.unlink(missing_ok=True)
