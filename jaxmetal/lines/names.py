"""Names that users type: looked up, or refused with the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from jaxmetal.edge.errors import InputError

T = TypeVar("T")


def look_up(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The entry of that name.

    Raises:
        InputError: naming the nearest known names, if there is no such entry.
    """
    if name in known:
        return known[name]
    raise InputError(
        f"{kind}: expected one of {', '.join(sorted(known))}, found '{name}'; did you mean {_nearest(name, known)}?"
    )


def _nearest(name: str, known: Mapping[str, T]) -> str:
    """The known name that is the same but for spelling, else those of which it is the beginning, else the most like."""
    # "[O III] 5007" and "[OIII]5007" are how papers write what is OIII5007 here, "[OIII]" the beginning of several.
    plain = "".join(letter for letter in str(name).lower() if letter.isalnum())
    lower = {key.lower(): key for key in known}
    begun = [key for key in lower if plain and key.startswith(plain)]
    near = begun if plain not in lower and begun else difflib.get_close_matches(plain, lower, n=1, cutoff=0.0)
    return " or ".join(f"'{lower[key]}'" for key in near)
