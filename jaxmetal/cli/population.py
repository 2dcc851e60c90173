"""`jaxmetal population RESULTS.ecsv --of COLUMN --against COLUMN=PIVOT`."""

from __future__ import annotations

import argparse
from typing import Any

from jaxmetal.cli.engine import add_machine, add_quiet, start
from jaxmetal.cli.output import DPI, add_output, folder_of, say
from jaxmetal.cli.pairs import described, pairs
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import writing
from jaxmetal.io.folder import output_folder, require_replaceable

DESCRIBING = {
    "error": ("ERRORS", "columns of Gaussian errors, of any of these"),
    "unit": ("UNIT", "units, where the table states none; nothing is converted"),
    "label": ("TEXT", "what axes say, instead of the columns' names"),
}
"""Option about a column -> what it gives, and help."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("population", help="how a column of a table of results depends on others")
    command.add_argument("table", metavar="RESULTS.ecsv", help="of a run, or another table (ECSV, FITS or text)")
    command.add_argument(
        "--of", metavar="COLUMN", required=True, help="e.g. disc.metallicity.slope_per_kpc; has columns _lo and _hi"
    )
    command.add_argument(
        "--against",
        metavar="COLUMN[=PIVOT]",
        nargs="+",
        action="extend",
        required=True,
        help="e.g. log_mass=10; default of the pivot: the median",
    )
    for option, (value, what) in DESCRIBING.items():
        command.add_argument(
            f"--{option}", metavar=f"COLUMN={value}", nargs="+", action="extend", default=[], help=what
        )
    command.add_argument("--robust", action="store_true", help="scatter with the tails of a Student-t")
    command.add_argument("--draws", metavar="N", type=int, help="kept of each of four chains (default: 1000)")
    command.add_argument(
        "--target-accept",
        metavar="A",
        type=float,
        help="acceptance that steps aim at, below 1; raise it where draws diverged (default: 0.9)",
    )
    command.add_argument("--seed", type=int, default=0, help="of all random numbers")
    add_quiet(command)
    add_machine(command)
    add_output(command, ending="-population")
    command.set_defaults(run=run, float32=False)


def run(arguments: argparse.Namespace) -> None:
    """Reads, fits the relation, writes."""
    start(arguments)
    from jaxmetal.io.relation import save_relation
    from jaxmetal.io.sample.population import read_population
    from jaxmetal.plot import relation as picture
    from jaxmetal.plot.saved import save_each
    from jaxmetal.population import Run, fit, summary

    folder = folder_of(arguments, arguments.table)
    require_replaceable(folder, arguments.overwrite)
    against = {name: _number(pivot, name) if pivot else None for name, pivot in pairs(arguments.against)}
    errors, units, labels = (
        described(option, getattr(arguments, option), "COLUMN", value) for option, (value, _) in DESCRIBING.items()
    )
    sample = read_population(
        arguments.table, of=arguments.of, against=against, errors=errors, units=units, labels=labels
    )
    asked = {"draws": arguments.draws, "target_accept": arguments.target_accept}
    settings = Run(seed=arguments.seed, progress=not arguments.quiet)._replace(
        **{name: value for name, value in asked.items() if value is not None}
    )
    relation = fit(sample.quantity, sample.covariates, robust=arguments.robust, run=settings)
    with output_folder(folder, overwrite=arguments.overwrite) as unfinished, writing(folder):
        save_relation(relation, unfinished, inputs={"table": arguments.table})
        say(save_each({"relation": lambda: picture(relation)}, unfinished, dpi=DPI))
    print(summary(relation))
    print(f"\nWritten to {folder}")


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--against: expected a number as the pivot of {name}, found '{text}'; correct it.") from None
