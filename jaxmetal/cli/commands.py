"""From arguments to a command, and from trouble to an exit code."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxmetal.cli import (
    batch,
    check,
    compare,
    completion,
    demo,
    example,
    fit,
    lines,
    plot,
    population,
    simulate,
    source,
)
from jaxmetal.cli.streams import complain, printing, ready
from jaxmetal.cli.version import Version
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.signals import TERMINATED, ended_by_sigterm

COMMANDS = (demo, simulate, lines, source, fit, batch, population, plot, compare, check, example, completion)
BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: arguments without the program's name; default those of the process.

    Returns:
        0; 2 for bad input, after one sentence on stderr; 130 after Ctrl-C; 143 after SIGTERM; 141, in silence, where
        nobody reads what is printed any more (`jaxmetal check galaxy.toml | head -3`).
    """
    ready()
    try:
        with ended_by_sigterm(), printing(), warnings.catch_warnings():
            # What astropy wonders about is judged where it is read, and said in words of ours.
            warnings.filterwarnings("ignore", module=r"astropy\b")
            arguments = parser().parse_args(argv)
            arguments.run(arguments)
    except InputError as error:
        complain(f"jaxmetal: {error}")
        return BAD_INPUT
    except KeyboardInterrupt as stop:
        complain(f"jaxmetal: interrupted; {stop.args[0] if stop.args else 'nothing written'}.")
        return INTERRUPTED
    except BrokenPipeError:
        return PIPE_CLOSED
    except SystemExit as end:
        if end.code == TERMINATED:
            complain("jaxmetal: ended by SIGTERM.")
        raise
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    made = argparse.ArgumentParser(
        prog="jaxmetal", description="Intrinsic metallicity gradients from blurred, binned and lensed maps."
    )
    made.add_argument("--version", action=Version, help="what to paste into a report: versions, devices, cache")
    commands = Described(made.add_subparsers(required=True, metavar="COMMAND"))
    for command in COMMANDS:
        command.add(commands)
    return made


class Described(NamedTuple):
    """Commands whose own `--help` begins with what the list of commands says of them.

    Attributes:
        commands: as `argparse` makes them.
    """

    commands: Any

    def add_parser(self, name: str, *, help: str, **options: Any) -> argparse.ArgumentParser:
        """As that of `argparse`."""
        said = f"{help[0].upper()}{help[1:]}."
        return self.commands.add_parser(name, help=help, **{"description": said, **options})  # type: ignore[no-any-return]
