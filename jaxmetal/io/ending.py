"""A FITS file ends: astropy lists extensions of negative sizes for ever, and reads headers until their end, if any."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from astropy.io import fits

from jaxmetal.edge.errors import InputError

BLOCK, CARD = 2880, 80
"""Bytes: files are filled up to a multiple of the first, headers consist of lines of the second."""

END = b"END".ljust(CARD)

LONGEST_HEADER = 1000 * BLOCK
"""Bytes: 36,000 lines."""

MOST_EXTENSIONS = 10_000

LARGEST = 2**32
"""Bytes that a compressed file may unpack to."""

COMPRESSED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""How a compressed file begins -> what reads it."""

DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)
"""What is raised over a compressed file that lacks its end, or does not unpack to what was packed (its checksum)."""


def require_end(path: str | Path, what: str) -> None:
    """Refuses a FITS file that could not be read in a bounded time; whatever else is wrong is left to astropy.

    Args:
        path: of an existing file.
        what: subject of the sentence, e.g. "The map".

    Raises:
        InputError: if a header has no end, the data behind it have a negative size, or there is more than maps need.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(max(map(len, COMPRESSED)))
        reader = next((one for beginning, one in COMPRESSED.items() if start.startswith(beginning)), None)
        with (reader or open)(path, "rb") as file:
            found = _endless(file, LARGEST if reader else math.inf)
    except DAMAGED as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{what} {path} cannot be read as FITS, because it is damaged ({reason}); copy or download it again."
        ) from None
    except Exception:  # damage shows as anything, and astropy will meet it again
        return
    if found is not None:
        raise InputError(f"{what} {path} cannot be read as FITS, because {found}; check the file.")


def _endless(file: Any, largest: float) -> str | None:
    """What keeps a file from ending, if anything does."""
    at = 0
    for number in range(MOST_EXTENSIONS):
        file.seek(at)
        cards, ends = _cards(file)
        if not ends:
            # What stands behind the last extension is no header, and need not be one.
            return f"the header of extension {number} has no end" if len(cards) >= LONGEST_HEADER else None
        size = fits.Header.fromstring(cards).data_size_padded
        if size < 0:
            return f"the header of extension {number} says that its data have {size} bytes"
        at += len(cards) + size
        if at > largest:
            return f"it unpacks to more than {largest / 2**30:g} GiB"
    return f"it has more than {MOST_EXTENSIONS} extensions"


def _cards(file: Any) -> tuple[bytes, bool]:
    """The lines of a header, filled up to whole blocks, and whether its end is among them."""
    cards = bytearray()
    while len(cards) < LONGEST_HEADER and (block := file.read(BLOCK)):
        cards += block
        if any(block.startswith(END, k) for k in range(0, len(block), CARD)):
            return bytes(cards), True
    return bytes(cards), False
