"""Names of galaxies, which are parts of the names of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.names import require_name

LONGEST = 250
"""Bytes of a name."""


def require_once(names: Iterable[str], what: str) -> None:
    """Refuses names that are empty, stand twice, or none at all.

    Args:
        names: of all galaxies.
        what: holds them, subject of the sentence.

    Raises:
        InputError: if so.
    """
    counts = Counter(names)
    twice = sorted(name for name, count in counts.items() if name and count > 1)
    if not counts or "" in counts or twice:
        found = f"'{twice[0]}' more than once" if twice else "an empty name" if counts else "no rows"
        raise InputError(f"{what} must name every galaxy once, but has {found}; correct the names.")


def require_file_names(names: Iterable[str], what: str) -> None:
    """Refuses names that no file can have, or that would lead to another folder.

    Args:
        names: of galaxies.
        what: as in `require_once`.

    Raises:
        InputError: if there is one.
    """
    for name in names:
        require_name(name, what, LONGEST)
