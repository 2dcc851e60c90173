"""Where a command writes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from jaxmetal.edge.findings import Finding

DPI = 130


def say(findings: Iterable[Finding]) -> None:
    """Findings on stderr, a line each."""
    for finding in findings:
        print(finding, file=sys.stderr)


def add_output(command: argparse.ArgumentParser, default: str | None = None, *, ending: str = "") -> None:
    """The arguments `--output` and `--overwrite`.

    Args:
        command: that writes a folder.
        default: name of the folder.
        ending: what follows the name of the file that is read, where there is no `default`; see `folder_of`.
    """
    unasked = default or f"the file's name with {ending} for its ending"
    text = f"folder to write, which must not exist (default: {unasked})"
    command.add_argument("-o", "--output", metavar="FOLDER", default=default, help=text)
    command.add_argument("--overwrite", action="store_true", help="replace earlier results in that folder")
    command.set_defaults(ending=ending)


def folder_of(arguments: argparse.Namespace, read: str | Path) -> Path:
    """The folder that was asked for, or the one named after the file that is read, in the working directory."""
    return Path(arguments.output or f"{Path(read).stem}{arguments.ending}")
