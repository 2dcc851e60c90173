"""What commands share: the precision, settled before JAX computes anything, and whether progress is shown."""

from __future__ import annotations

import argparse
import sys

from jaxmetal.edge.errors import InputError


def add_precision(command: argparse.ArgumentParser) -> None:
    """The argument `--float32`."""
    command.add_argument(
        "--float32",
        action="store_true",
        help="single precision (default: double): maxima move by less than 0.01 sigma, medians by no more than their "
        "Monte Carlo error; with a tabulated PSF, pixels below 1 percent of the peak of the light are less precise",
    )


def add_quiet(command: argparse.ArgumentParser) -> None:
    """The argument `--quiet`."""
    command.add_argument("--quiet", action="store_true", help="no progress bars (which only terminals show)")


def start(arguments: argparse.Namespace) -> None:
    """Sets the precision, for this process.

    Raises:
        InputError: if JAX has no device to compute on.
    """
    import jax

    jax.config.update("jax_enable_x64", not arguments.float32)
    try:
        jax.devices()
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"JAX finds no device ({reason}); correct JAX_PLATFORMS, or unset it.") from None


def shows_progress(arguments: argparse.Namespace) -> bool:
    """Whether there are progress bars: in files and pipes, bars that should replace each other stand on one line."""
    return not arguments.quiet and sys.stderr.isatty()
