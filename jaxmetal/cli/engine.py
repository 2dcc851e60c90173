"""What commands share: what JAX is told before it computes anything, and whether progress is shown."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from jaxmetal.edge.errors import InputError

LARGEST = 2**30
"""Bytes of compiled programs that are kept; those that were not used for longest go first."""

DEAR = 0.2
"""Seconds of compilation from which a program is kept."""


def add_precision(command: argparse.ArgumentParser) -> None:
    """The argument `--float32`."""
    command.add_argument(
        "--float32",
        action="store_true",
        help="single precision (default: double): maxima move by less than 0.01 sigma, medians by no more than their "
        "Monte Carlo error; with a tabulated PSF, pixels below 1 percent of the peak of the light are less precise",
    )
    command.add_argument(
        "--no-cache",
        action="store_true",
        help="keep no compiled programs for later commands, and use none (default: those in the folder that "
        "JAX_COMPILATION_CACHE_DIR names, or in the user's cache folder, up to 1 GiB)",
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
    if arguments.no_cache:
        jax.config.update("jax_enable_compilation_cache", False)
    else:
        keep_programs()
    try:
        jax.devices()
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"JAX finds no device ({reason}); correct JAX_PLATFORMS, or unset it.") from None


def keep_programs() -> None:
    """Keeps compiled programs in the user's cache folder, unless JAX was told where; not where that cannot be."""
    import jax

    if jax.config.values["jax_compilation_cache_dir"]:
        return
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(home) / "jaxmetal" / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", LARGEST)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", DEAR)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def shows_progress(arguments: argparse.Namespace) -> bool:
    """Whether there are progress bars: in files and pipes, bars that should replace each other stand on one line."""
    return not arguments.quiet and sys.stderr.isatty()
