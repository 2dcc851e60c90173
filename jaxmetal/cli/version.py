"""`jaxmetal --version`: what to paste into a report."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from typing import Any

from jaxmetal import __version__


class Version(argparse.Action):
    """Prints the versions that a result depends on, devices, and where compiled programs are kept; ends the process."""

    def __init__(self, option_strings: list[str], dest: str, **said: Any) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, **said)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints, and exits."""
        print(f"jaxmetal {__version__}", *described(), sep="\n")
        parser.exit()


def described() -> Iterator[str]:
    """One line for each thing; where JAX finds no device, what it says of that."""
    import jax

    from jaxmetal.io.record import versions
    from jaxmetal.machine import keep_programs, processors

    keep_programs()
    yield from (f"{name}: {found}" for name, found in versions().items() if name != "jaxmetal")
    try:
        devices = ", ".join(" ".join(dict.fromkeys((one.platform, one.device_kind))) for one in jax.devices())
    except (RuntimeError, AssertionError) as error:  # the latter, without words, of CUDA where there is no GPU
        devices = f"none ({' '.join(str(error).split()) or 'correct JAX_PLATFORMS, or unset it'})"
    yield f"devices: {devices}; {processors()} processors"
    yield f"platform: {platform.platform()}"
    yield f"compiled programs: {jax.config.values['jax_compilation_cache_dir'] or 'not kept'}"
