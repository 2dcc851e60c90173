"""`jaxmetal completion SHELL`: what makes a shell complete commands, options and files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

SHELLS = ("bash", "zsh", "fish", "tcsh")
FOLDERS, FILES = ("FOLDER",), ("CONFIG.toml", "CATALOGUE", "RESULTS.ecsv")
"""What arguments that are paths are called in the help."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "completion",
        help="print what makes a shell complete commands, options and files",
        description='Prints a script for a shell to read. In ~/.bashrc: eval "$(jaxmetal completion bash)"; in '
        '~/.zshrc, below compinit: eval "$(jaxmetal completion zsh)"; in fish: jaxmetal completion fish > '
        "~/.config/fish/completions/jaxmetal.fish. Nothing of jaxmetal runs when Tab is pressed.",
    )
    command.add_argument("shell", choices=SHELLS)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints the script."""
    import shtab

    from jaxmetal.cli.commands import parser

    made = parser()
    for action in _actions(made):
        if action.metavar in FOLDERS + FILES:
            action.complete = shtab.DIRECTORY if action.metavar in FOLDERS else shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(made, arguments.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
