"""What is written on axes: quantities with their units, and short names of parameters."""

from __future__ import annotations

from collections.abc import Mapping

from jaxmetal.observation.contract import Quantity

COMMON = {"scene", "sources", "lights", "carries", "profile", "frame", "noise", "parts"}
"""Parts of a path that tell a reader nothing."""


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
        own = [part for part in path[:-1] if part not in COMMON and part not in shared]
        labels[name] = "\n".join(filter(None, [" ".join(own), short[name]]))
    return labels
