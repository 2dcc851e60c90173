"""Names that users give to things, which become names of files, of groups in files and texts in pictures."""

from __future__ import annotations

from collections.abc import Iterable

from jaxmetal.edge.errors import InputError, shown

LONGEST = 100
"""Bytes of a name: file systems take 255, and names of files are made of two or three."""


def require_name(name: object, where: str, longest: int = LONGEST) -> None:
    """Refuses what cannot be part of the name of a file, of a netCDF group or a FITS extension.

    Args:
        name: given by the user.
        where: what has that name, for the sentence.
        longest: bytes that it may have.

    Raises:
        InputError: if it is no text, empty, too long, begins with a dot or a blank, ends in one, or has a slash or
            characters that cannot be printed.
    """
    reason = _unfit(name, longest)
    if reason:
        raise InputError(f"{where} has the name {shown(name)}, which no file can have, as it {reason}; rename it.")


def require_names(names: Iterable[object], where: str) -> None:
    """Refuses unfit names of the entries of a table, and those that differ by case alone, which FITS does not know.

    Raises:
        InputError: as `require_name`, or naming two of them.
    """
    known: dict[str, str] = {}
    for name in names:
        require_name(name, where)
        other = known.setdefault(str(name).upper(), str(name))
        if other != name:
            raise InputError(
                f"{where}: expected names that differ by more than case, found '{other}' and '{name}'; rename one."
            )


def _unfit(name: object, longest: int) -> str:
    if not isinstance(name, str):
        return "is no text"
    if not name.strip():
        return "is empty"
    if not name.isprintable():
        return "has characters that cannot be printed"
    if "/" in name:
        return "has a slash"
    if name[0] in ". " or name[-1] == " ":
        return "begins with a dot or a blank, or ends in one"
    if len(name.encode()) > longest:
        return f"has more than {longest} bytes"
    return ""
