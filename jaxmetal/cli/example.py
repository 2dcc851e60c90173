"""`jaxmetal example`: a commented configuration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).with_name("example.toml")
EXAMPLES = {
    "fit": EXAMPLE,
    "lines": EXAMPLE.with_name("lines.toml"),
    "lines-fit": EXAMPLE.with_name("lines_fit.toml"),
    "source": EXAMPLE.with_name("source.toml"),
}
"""Command -> the configuration that shows what it takes."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "example",
        help="print a commented TOML file for `fit` and `check`, `lines`, `source`, or for `fit` on line fluxes",
    )
    command.add_argument("command", nargs="?", choices=list(EXAMPLES), default="fit", help="whose (default: fit)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints the file."""
    print(EXAMPLES[arguments.command].read_text(encoding="utf-8"), end="")
