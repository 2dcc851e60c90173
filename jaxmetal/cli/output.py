"""Where a command writes."""

from __future__ import annotations

import argparse

DPI = 130


def add_output(command: argparse.ArgumentParser, default: str | None = None) -> None:
    """The arguments `--output` and `--overwrite`."""
    command.add_argument("-o", "--output", metavar="FOLDER", default=default, help="folder to write (must not exist)")
    command.add_argument("--overwrite", action="store_true", help="replace earlier results in that folder")
