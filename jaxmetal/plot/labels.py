"""What is written on axes: quantities with their units, and short names of parameters."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from jaxmetal.observation.contract import Quantity

WIDE = 0.62
"""Width of a character over the size of its font, about: that of digits."""
FEW = 6
"""Names that are listed."""

COMMON = {"scene", "sources", "lights", "carries", "profile", "frame", "noise", "parts"}
"""Parts of a path that tell a reader nothing."""
VALUE = "value"
"""The one number of what is the same everywhere, which is named by what it is of."""


def parameter_labels(written: Mapping[str, Quantity]) -> dict[str, str]:
    """Short labels with units; where two would be the same, what tells their paths apart goes in a line above.

    Args:
        written: parameter name, e.g. "scene.sources.disc.frame.pa" -> its symbol and unit, e.g. Quantity("PA", "deg").
    """
    paths = {name: name.split(".") for name in written}
    short = {name: str(quantity) for name, quantity in written.items()}
    labels = {}
    for name, path in paths.items():
        twins = [paths[other] for other in paths if short[other] == short[name] and other != name]
        shared = set.intersection(*map(set, twins)) if twins else set(path)
        telling = [part for part in path[:-1] if part not in COMMON]
        own = [part for part in telling if part not in shared] or (telling[-1:] if path[-1] == VALUE else [])
        labels[name] = "\n".join(filter(None, [" ".join(own), short[name]]))
    return labels


def wrapped(text: str, width: float, size: float) -> str:
    """Text in lines that are no longer than `width` inches in a font of `size` points; words may be hyphenated."""
    return textwrap.fill(text, max(8, int(72.0 * width / (WIDE * size))), break_on_hyphens=False)


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = [f"{len(names) - FEW} more"] if len(names) > FEW else []
    return ", ".join([*names[:FEW], *rest])
