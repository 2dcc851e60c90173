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

HDF5, VERSION, ADDRESS = b"\x89HDF\r\n\x1a\n", 8, 8
"""How a file of HDF5 begins, where its version stands, and the bytes of an address in it."""

STATED = {0: 40, 1: 44, 2: 28, 3: 28}
"""Version of a file of HDF5 -> where the address of its end stands."""


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
    """Whether a file is there and its content that of its checksum.

    Those of before have no checksum, but say where they end: a file whose checksum is cut away with more is none of
    them.
    """
    if not Path(path).is_file():  # a pipe, say, would never end
        return False
    try:
        whole = Path(path).read_bytes()
    except OSError:
        return False
    content, seal = whole[:-LENGTH], whole[-LENGTH:]
    if seal.startswith(MARK):
        return seal == MARK + hashlib.sha256(content).hexdigest().encode()
    return _ends_as_stated(whole)


def require_intact(path: str | Path, what: str) -> None:
    """Refuses a file that is damaged.

    Args:
        path: of an existing file.
        what: subject of the sentence, e.g. "The draws".

    Raises:
        InputError: if its content is not that of its checksum.
    """
    if not intact(path):
        raise InputError(
            f"{what} {path} cannot be read, or is damaged: its content is not that of its checksum; fit it again."
        )


def _ends_as_stated(whole: bytes) -> bool:
    """Whether something is HDF5 that ends where it says."""
    if not whole.startswith(HDF5) or len(whole) <= max(STATED.values()) + ADDRESS:
        return False
    at = STATED.get(whole[VERSION])
    return at is not None and int.from_bytes(whole[at : at + ADDRESS], "little") == len(whole)
