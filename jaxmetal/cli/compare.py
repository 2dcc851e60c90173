"""`jaxmetal compare A B`: finished fits in one table."""

from __future__ import annotations

import argparse
from io import StringIO
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_machine, start
from jaxmetal.edge.errors import InputError


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "compare",
        help="finished fits in one table: where models differ, criteria, evidence, numbers",
        description="Prints finished fits side by side: where their models and data differ, how well they fit (chi2, "
        "BIC, evidence), and what they find.",
    )
    command.add_argument("folders", metavar="FOLDER", nargs="+", help="results of two fits or more")
    command.add_argument("-o", "--output", metavar="TABLE.ecsv", help="write the table, too (must not exist)")
    command.add_argument(
        "--pool",
        action="store_true",
        help="then marginalise over the fits, as models of the same data that are weighted by their evidence",
    )
    add_machine(command)
    command.set_defaults(run=run, float32=False)


def run(arguments: argparse.Namespace) -> None:
    """Opens, compares, prints."""
    start(arguments)
    from jaxmetal.edge.writing import write_whole
    from jaxmetal.io.finished import load
    from jaxmetal.io.posterior_tables import comparison_table
    from jaxmetal.result import compare, pool

    names = [folder.rstrip("/") for folder in arguments.folders]
    if len(set(names)) < len(names):
        raise InputError(f"compare: expected different folders, found {' '.join(names)}; name each once.")
    if arguments.output and Path(arguments.output).exists():
        raise InputError(f"The output file {arguments.output} exists already; choose another name or remove it.")
    fits = {name: load(name) for name in names}
    pooled = pool({name: fit.view for name, fit in fits.items()}) if arguments.pool else None
    found = compare({n: fit.view for n, fit in fits.items()}, {n: fit.kpc_per_arcsec for n, fit in fits.items()})
    if arguments.output:
        made = StringIO()
        comparison_table(found).write(made, format="ascii.ecsv")
        write_whole(arguments.output, made.getvalue())
    print(found, end="" if pooled is None else "\n")
    if pooled is not None:
        print(pooled, end="")
