"""Kinds of users: what other packages make known to configurations, by the entry points of their metadata.

A package that has, in its pyproject.toml,

    [project.entry-points."jaxmetal.tracer"]
    Ring = "my_package:Ring"

adds `{type = "Ring", ...}` to the tracers that a TOML file can name; likewise for the rooms "frame", "light", "lens",
"noise", "mixing" and "psf": a node, or for functions of coordinates a plain function, whose keywords are its fields. In
the group "jaxmetal.observation" stands a function `read(table, where, context)` that returns an observation.
"""

from __future__ import annotations

import sys
from collections.abc import Container
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any

from jaxmetal.edge.errors import InputError


def extensions(room: str, taken: Container[str]) -> dict[str, Any]:
    """What packages add to a room, by name; nothing of another package's code runs where there is none.

    Args:
        room: e.g. "tracer".
        taken: names that jaxmetal has itself, which no package can replace.

    Raises:
        InputError: if a name is taken, or what it stands for cannot be imported.
    """
    group, found = f"jaxmetal.{room}", {}
    for entry in _registered(group, tuple(sys.path)):
        if entry.name in taken or entry.name in found:
            raise InputError(
                f"The entry point '{entry.name}' ({entry.value}) of group '{group}' has a name that is taken; "
                "rename it."
            )
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # whatever another package raises while it is imported
            reason = " ".join(str(error).split())
            raise InputError(
                f"The entry point '{entry.name}' of group '{group}' ({entry.value}) cannot be imported ({reason}); "
                "mend or remove that package."
            ) from None
    return found


@cache
def _registered(group: str, path: tuple[str, ...]) -> EntryPoints:
    """What the packages on a path declare: read once, as a catalogue asks for every table of every galaxy."""
    return entry_points(group=group)
