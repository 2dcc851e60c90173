"""Where a command writes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from jaxmetal.edge.findings import Finding

DPI = 130


def say(findings: Iterable[Finding]) -> None:
    """Findings on stderr, a line each."""
    for finding in findings:
        print(finding, file=sys.stderr)


def add_output(command: argparse.ArgumentParser, default: str | None = None) -> None:
    """The arguments `--output` and `--overwrite`."""
    command.add_argument("-o", "--output", metavar="FOLDER", default=default, help="folder to write (must not exist)")
    command.add_argument("--overwrite", action="store_true", help="replace earlier results in that folder")
