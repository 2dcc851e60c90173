"""From arguments to a command, and from trouble to an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jaxmetal import __version__
from jaxmetal.cli import batch, check, demo, example, fit, lines, population, simulate
from jaxmetal.errors import InputError

COMMANDS = (demo, simulate, lines, fit, batch, population, check, example)
BAD_INPUT, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: arguments without the program's name; default those of the process.

    Returns:
        0; 2 for bad input, after one sentence on stderr; 130 after Ctrl-C.
    """
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except InputError as error:
        print(f"jaxmetal: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("jaxmetal: interrupted; nothing written.", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    made = argparse.ArgumentParser(
        prog="jaxmetal", description="Intrinsic metallicity gradients from blurred, binned and lensed maps."
    )
    made.add_argument("--version", action="version", version=f"jaxmetal {__version__}")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return made
