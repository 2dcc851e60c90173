"""`jaxmetal example`: a commented configuration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).with_name("example.toml")


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("example", help="print a commented TOML file for `fit` and `check`")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints the file."""
    print(EXAMPLE.read_text(encoding="utf-8"), end="")
