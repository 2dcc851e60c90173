"""From arguments to a command, and from trouble to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from jaxmetal.cli import batch, check, completion, demo, example, fit, lines, population, simulate
from jaxmetal.cli.version import Version
from jaxmetal.edge.errors import InputError

COMMANDS = (demo, simulate, lines, fit, batch, population, check, example, completion)
BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: arguments without the program's name; default those of the process.

    Returns:
        0; 2 for bad input, after one sentence on stderr; 130 after Ctrl-C; 141, in silence, where nobody reads what is
        printed any more (`jaxmetal check galaxy.toml | head -3`).
    """
    try:
        try:
            return _run(argv)
        finally:
            # Here, and not when the interpreter ends, where a closed pipe could no longer be answered.
            sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer goes nowhere, or the interpreter would try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(argv: Sequence[str] | None) -> int:
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except InputError as error:
        print(f"jaxmetal: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt as stop:
        print(f"jaxmetal: interrupted; {stop.args[0] if stop.args else 'nothing written'}.", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    made = argparse.ArgumentParser(
        prog="jaxmetal", description="Intrinsic metallicity gradients from blurred, binned and lensed maps."
    )
    made.add_argument("--version", action=Version, help="what to paste into a report: versions, devices, cache")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return made
