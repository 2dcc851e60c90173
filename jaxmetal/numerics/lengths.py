"""Few lengths and widths for many: arrays of the same shape share a compiled program."""

from __future__ import annotations

import math


def longer(n: int) -> int:
    """The next of the lengths 0 to 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, ...: at most a quarter longer than n."""
    step = max(1, 1 << max(0, (n - 1).bit_length() - 3))
    return -(-n // step) * step


def narrower(width: float, smallest: float) -> float:
    """The last of the widths smallest * 1.25^k that is not above `width`."""
    return smallest * 1.25 ** math.floor(math.log(width / smallest) / math.log(1.25) + 1e-9)
