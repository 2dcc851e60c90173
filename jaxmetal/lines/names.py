"""Names that users type: looked up, or refused with the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from jaxmetal.errors import InputError

T = TypeVar("T")


def look_up(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The entry of that name.

    Raises:
        InputError: naming the nearest known name, if there is no such entry.
    """
    if name in known:
        return known[name]
    # "[O III] 5007" and "[OIII]5007" are how papers write what is OIII5007 here.
    plain = "".join(letter for letter in str(name).lower() if letter.isalnum())
    near = difflib.get_close_matches(plain, [key.lower() for key in known], n=1, cutoff=0.0)
    nearest = next(key for key in known if key.lower() == near[0])
    raise InputError(f"{kind}: expected one of {', '.join(sorted(known))}, found '{name}'; did you mean '{nearest}'?")
