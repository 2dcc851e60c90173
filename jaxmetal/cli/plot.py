"""`jaxmetal plot FOLDER`: the pictures of a finished fit again, in other formats and words."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_machine, start
from jaxmetal.cli.output import DPI, add_output, folder_of
from jaxmetal.cli.pairs import described
from jaxmetal.edge.errors import InputError
from jaxmetal.io.folder import MARKER, output_folder, require_replaceable

FORMATS = ("png", "pdf", "svg")


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "plot",
        help="draw a finished fit again, without fitting: other formats, labels, resolution",
        description="Draws the pictures of a finished fit again, without fitting, into a folder of their own.",
    )
    command.add_argument("folder", metavar="FOLDER", help="results of a fit")
    command.add_argument("--format", nargs="+", choices=FORMATS, default=["pdf"], help="of the files (default: pdf)")
    command.add_argument("--dpi", type=int, default=DPI, help="dots per inch of png (default: %(default)s)")
    command.add_argument(
        "--label",
        metavar="OBSERVATION=TEXT",
        nargs="+",
        action="extend",
        default=[],
        help="what axes call the quantity of an observation",
    )
    command.add_argument("--title", default="", help="above every fit of a map")
    add_output(command, ending="-pictures")
    add_machine(command)
    command.set_defaults(run=run, float32=False)


def run(arguments: argparse.Namespace) -> None:
    """Opens, draws, writes."""
    source = Path(arguments.folder)
    folder = folder_of(arguments, source)
    labels = described("label", arguments.label, "OBSERVATION", "TEXT")
    if arguments.dpi < 1:
        raise InputError(f"--dpi: expected 1 or more, found {arguments.dpi}.")
    require_replaceable(folder, arguments.overwrite)
    start(arguments)
    from jaxmetal.cli.results import Look, figures
    from jaxmetal.io.finished import load

    fit = load(source)
    unknown = sorted(set(labels) - set(fit.observations))
    if unknown:
        known = ", ".join(fit.observations)
        raise InputError(f"--label: expected an observation of the fit ({known}), found '{unknown[0]}'; correct it.")
    with output_folder(folder, overwrite=arguments.overwrite) as unfinished:
        look = Look(arguments.format, arguments.dpi, labels, arguments.title)
        figures(fit.view, unfinished, fit.kpc_per_arcsec, look=look)
        record = {"command": "plot", "of": str(source), "record": fit.record}
        (unfinished / MARKER).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {folder}")
