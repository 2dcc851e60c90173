"""Draws as netCDF files that carry a checksum, behind the end of what HDF5 reads."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

from jaxmetal.edge.signals import unbroken
from jaxmetal.edge.writing import write_whole

MARK = b"\njaxmetal sha256 "
LENGTH = len(MARK) + 2 * hashlib.sha256().digest_size


def write_netcdf(data: Any, path: str | Path) -> None:
    """Writes groups of variables, all or nothing.

    By way of memory, and not to be interrupted meanwhile: the library survives neither a full disk nor Ctrl-C.

    Args:
        data: a tree of xarray's.
        path: the file, replaced where it exists.

    Raises:
        InputError: if nothing can be written there.
    """
    made = BytesIO()
    with unbroken():
        data.to_netcdf(made, engine="h5netcdf")
    content = made.getvalue()
    write_whole(path, content + MARK + hashlib.sha256(content).hexdigest().encode())


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
