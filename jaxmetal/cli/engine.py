"""What must be settled before JAX computes anything."""

from __future__ import annotations

import argparse

import jax


def add_precision(command: argparse.ArgumentParser) -> None:
    """The argument `--float32`."""
    command.add_argument(
        "--float32",
        action="store_true",
        help="single precision (default: double): maxima move by less than 0.01 sigma, medians by no more than their "
        "Monte Carlo error; with a tabulated PSF, pixels below 1 percent of the peak of the light are less precise",
    )


def start(arguments: argparse.Namespace) -> None:
    """Sets the precision, for this process."""
    jax.config.update("jax_enable_x64", not arguments.float32)
