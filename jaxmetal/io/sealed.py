"""HDF5 and netCDF files that carry a checksum, behind the end of what HDF5 reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.signals import unbroken
from jaxmetal.edge.writing import write_whole

MARK = b"\njaxmetal sha256 "
LENGTH = len(MARK) + 2 * hashlib.sha256().digest_size


def write_sealed(path: str | Path, make: Callable[[BytesIO], Any]) -> None:
    """Writes a file of HDF5, all or nothing.

    By way of memory, and not to be interrupted meanwhile: the library survives neither a full disk nor Ctrl-C.

    Args:
        path: the file, replaced where it exists.
        make: writes what is to stand in it.

    Raises:
        InputError: if nothing can be written there.
    """
    made = BytesIO()
    with unbroken():
        make(made)
    content = made.getvalue()
    write_whole(path, content + MARK + hashlib.sha256(content).hexdigest().encode())


def write_netcdf(data: Any, path: str | Path) -> None:
    """Writes groups of variables, a tree of xarray's, as `write_sealed`."""
    write_sealed(path, lambda made: data.to_netcdf(made, engine="h5netcdf"))


def intact(path: str | Path) -> bool:
    """Whether a file is there and its content that of its checksum, if it has one: those of before have none."""
    if not Path(path).is_file():  # a pipe, say, would never end
        return False
    try:
        whole = Path(path).read_bytes()
    except OSError:
        return False
    content, seal = whole[:-LENGTH], whole[-LENGTH:]
    return not seal.startswith(MARK) or seal == MARK + hashlib.sha256(content).hexdigest().encode()


def require_intact(path: str | Path, what: str) -> None:
    """Refuses a file that is damaged.

    Args:
        path: of an existing file.
        what: subject of the sentence, e.g. "The draws".

    Raises:
        InputError: if its content is not that of its checksum.
    """
    if not intact(path):
        raise InputError(f"{what} {path} cannot be read, or its content is not that of its checksum; fit it again.")
