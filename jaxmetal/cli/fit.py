"""`jaxmetal fit CONFIG.toml`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_engine, add_quiet, shows_progress, start
from jaxmetal.cli.output import add_output
from jaxmetal.io.folder import require_replaceable


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("fit", help="fit what a TOML file describes and write a folder of results")
    command.add_argument("config", metavar="CONFIG.toml")
    add_output(command)
    command.add_argument("--method", help="auto, nuts, map (no draws), ... (see fit.METHODS); default: the file's")
    command.add_argument("--seed", type=int, help="of all random numbers; default: the file's")
    add_quiet(command)
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Reads, fits, writes."""
    start(arguments)
    from jaxmetal.cli.results import write_results
    from jaxmetal.fit import auto
    from jaxmetal.io.config import read_config

    folder = Path(arguments.output or f"{Path(arguments.config).stem}-results")
    require_replaceable(folder, arguments.overwrite)
    job = read_config(arguments.config)
    for finding in job.findings:
        print(finding, file=sys.stderr)
    asked = {key: getattr(arguments, key) for key in ("method", "seed") if getattr(arguments, key) is not None}
    posterior = auto(job.scene, job.observations, progress=shows_progress(arguments), **{**job.settings, **asked})
    write_results(
        posterior,
        folder,
        arguments.overwrite,
        origin=job.origin,
        kpc_per_arcsec=job.kpc_per_arcsec,
        inputs=job.inputs,
        configuration=job.configuration,
    )
