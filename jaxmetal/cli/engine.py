"""What commands share: what JAX is told before it computes anything, and whether progress is said."""

from __future__ import annotations

import argparse
import contextlib
import os
import threading
from importlib import import_module

from jaxmetal.edge.errors import InputError
from jaxmetal.machine import THREADS, keep_memory, keep_programs, processors

AFTERWARDS = (
    "arviz_stats.base",
    "jaxmetal.cli.results",
    "jaxmetal.plot.of_posterior",
    "matplotlib.backends.backend_agg",
)
"""What a fit needs when the first of it is computed."""


def add_engine(command: argparse.ArgumentParser) -> None:
    """The arguments of all that fits and simulates: `--float32`, and those of `add_machine`."""
    command.add_argument(
        "--float32",
        action="store_true",
        help="single precision (default: double): maxima move by less than 0.01 sigma, medians by no more than their "
        "Monte Carlo error; with a tabulated PSF, pixels below 1 percent of the peak of the light are less precise",
    )
    add_machine(command)


def add_machine(command: argparse.ArgumentParser) -> None:
    """The arguments of all that computes: `--threads` and `--no-cache`."""
    command.add_argument(
        "--threads",
        metavar="N",
        type=int,
        help="processors to compute on (default: those that this process may use, by its affinity, the quotas of its "
        "control groups and Slurm)",
    )
    command.add_argument(
        "--no-cache",
        action="store_true",
        help="keep no compiled programs for later commands, and use none (default: those in the folder that "
        "JAX_COMPILATION_CACHE_DIR names, or in the user's cache folder, up to 1 GiB)",
    )


def add_quiet(command: argparse.ArgumentParser) -> None:
    """The argument `--quiet`."""
    command.add_argument("--quiet", action="store_true", help="say nothing of the progress (on stderr)")


def import_ahead() -> None:
    """Imports `AFTERWARDS` beside the computation: while XLA computes, Python's lock is free."""

    def load() -> None:
        for name in AFTERWARDS:
            with contextlib.suppress(Exception):  # what cannot be imported is said where it is needed
                import_module(name)

    threading.Thread(target=load).start()


def start(arguments: argparse.Namespace) -> None:
    """Sets threads, precision and whether memory and compiled programs are kept, for this process.

    Raises:
        InputError: if there is no thread to compute with, or JAX has no device to compute on.
    """
    threads = processors() if arguments.threads is None else arguments.threads
    if threads < 1:
        raise InputError(f"--threads: expected 1 or more, found {threads}.")
    os.environ[THREADS] = str(threads)  # before JAX starts its own
    keep_memory()
    import jax

    jax.config.update("jax_enable_x64", not arguments.float32)
    # Nobody reads from where operations of compiled programs come; to say so is a tenth of what a fit compiles.
    jax.config.update("jax_traceback_in_locations_limit", 0)
    if arguments.no_cache:
        jax.config.update("jax_enable_compilation_cache", False)
    else:
        keep_programs()
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # of a platform without a device, JAX asserts that it has one
        reason = " ".join(str(error).split()) or f"of the platforms {jax.config.values['jax_platforms']}"
        raise InputError(f"JAX finds no device ({reason}); correct JAX_PLATFORMS, or unset it.") from None
