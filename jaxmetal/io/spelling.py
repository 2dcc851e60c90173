"""Words that are known, and which of them a user may have meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher

from jaxmetal.edge.errors import InputError, shown

LONGEST = 100
"""Letters of a word that are compared."""

ALIKE = 0.6
"""Likeness (`SequenceMatcher.ratio`) from which a word may be another one misspelled."""


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known words most like another, whatever their case: first those that contain it, then the most alike."""
    asked = word[:LONGEST].lower()
    likeness = {name: SequenceMatcher(None, name.lower(), asked).ratio() for name in known}
    return sorted(likeness, key=lambda name: (asked not in name.lower(), -likeness[name]))[:count]


def alike(word: str, other: str) -> bool:
    """Whether a word may be another one misspelled, or a part of it."""
    word, other = word[:LONGEST].lower(), other.lower()
    return word in other or SequenceMatcher(None, other, word).ratio() >= ALIKE


def require_known(given: Iterable[str], where: str, known: Iterable[str]) -> None:
    """Refuses keys that are not known: a default would take the place of what they were to say.

    Raises:
        InputError: naming the nearest known key.
    """
    known = list(known)
    for key in given:
        if key not in known:
            near = nearest(key, known)[0] if known else ""
            if near and alike(key, near):
                advice = f"did you mean '{near}'?"
            else:
                advice = f"known are {listed(known)}." if known else "remove it, as there is none."
            raise InputError(f"{where}: {shown(key)} is no known key; {advice}")


def listed(known: Collection[str], most: int = 30) -> str:
    """The words that there are, in a sentence."""
    few = [word for word, _ in zip(known, range(most), strict=False)]
    return ", ".join(few) + (f" and {len(known) - most} more" if len(known) > most else "") if few else "none"
