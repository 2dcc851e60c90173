"""Numbers as people read them: digits that their width deserves, and powers of ten only where there must be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PLAIN = (1e-4, 1e6)
"""From where to where the largest of some numbers is written without a power of ten."""
MOST = 8
"""Decimals."""


def digits(numbers: Sequence[float], width: float) -> tuple[list[str], int]:
    """Numbers with two digits of a width, all of them in one power of ten.

    Args:
        numbers: of one unit.
        width: what tells the digits, in that unit; above 0.

    Returns:
        The numbers over 10^exponent, and the exponent: 0 unless the largest of them lies outside of `PLAIN`.
    """
    largest = max((abs(number) for number in numbers if np.isfinite(number)), default=0.0)
    plain = largest == 0.0 or PLAIN[0] <= largest < PLAIN[1]
    exponent = 0 if plain else int(np.floor(np.log10(largest)))
    decimals = int(np.clip(1.0 - np.floor(np.log10(width) - exponent), 0, MOST))
    return [f"{number / 10.0**exponent:.{decimals}f}" for number in numbers], exponent


def in_words(numbers: Sequence[float], width: float) -> list[str]:
    """As `digits`, each with its power of ten: "3.21e-17"."""
    written, exponent = digits(numbers, width)
    return [f"{one}e{exponent:+03d}" if exponent else one for one in written]
