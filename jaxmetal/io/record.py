"""Where a result comes from."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError

FORMAT = 1
"""Of files of results: what stands where in them, and under which names. A reader refuses a higher number."""

PACKAGES = ("jaxmetal", "jax", "jaxlib", "numpyro", "numpy", "astropy")
"""Whose versions are recorded."""


def provenance(
    inputs: Mapping[str, str | Path] | None = None,
    *,
    seed: int | None = None,
    configuration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is needed to repeat a run, ready for JSON.

    Args:
        inputs: what a file is -> its path.
        seed: of the random numbers.
        configuration: as the user gave it.

    Raises:
        InputError: if an input cannot be read.
    """
    files = {name: {"path": str(path), "sha256": checksum(path)} for name, path in (inputs or {}).items()}
    return {
        "format": FORMAT,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "platform": platform.platform(),
        "seed": seed,
        "inputs": files,
        "configuration": dict(configuration or {}),
    }


def versions() -> dict[str, str]:
    """Python's version, and those of the packages that a result depends on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def checksum(path: str | Path) -> str:
    """The SHA-256 of a file, hexadecimal.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"The input {path} cannot be read ({error.strerror}); check its path.") from None


def digest(content: Any) -> str:
    """The SHA-256 of what a JSON file says, whatever its layout."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
