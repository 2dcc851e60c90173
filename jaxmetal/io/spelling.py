"""Which known word a user may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

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
