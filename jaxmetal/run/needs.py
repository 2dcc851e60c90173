"""What a galaxy needs, timed on one of its kind, and how many of them make a chunk."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.cost import measured
from jaxmetal.fit.galaxies import together
from jaxmetal.fit.method import Options
from jaxmetal.fit.padding import padded
from jaxmetal.fit.problem import Problem, make, size
from jaxmetal.run.catalogue import Catalogue

LOOKS = 20
"""Galaxies of a group among which one that can be prepared is looked for."""
KEPT = 60.0
"""Seconds that a chunk is expected to take: what an interrupted run loses."""
MOST = 64
"""Galaxies of a chunk, at most: they share a page of thumbnails."""


class Need(NamedTuple):
    """What each galaxy of a group needs.

    Attributes:
        seconds: compiled, about.
        parameters: free numbers.
        together: how many are fitted at a time, at most.
        mebibytes: of all these on a device.
    """

    seconds: float
    parameters: int
    together: int
    mebibytes: float


def need(catalogue: Catalogue, rows: Sequence[int], options: dict[str, Any], pad: bool) -> Need | None:
    """What the galaxies of a group need; None where the first `LOOKS` of them cannot be prepared.

    A gradient is compiled and timed for that.
    """
    problem, asked = _first(catalogue, rows, pad), Options.among(options)
    if problem is None:
        return None
    count = min(together(problem, asked, options["memory"]), len(rows), options["chunk_size"] or MOST)
    each = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(problem))
    seconds = measured(problem, count).seconds(asked)
    return Need(float(seconds), size(problem.sites), int(count), float(count * each / 2**20))


def divided(rows: Sequence[int], one: Need | None, options: dict[str, Any]) -> list[tuple[list[int], float]]:
    """The chunks of a group with the seconds that each should take: of the size asked for, else of `KEPT` seconds.

    The latter are of much the same size, so that none is left with a single galaxy.
    """
    each, asked = (0.0, options["chunk_size"]) if one is None else (one.seconds, options["chunk_size"])
    if asked is not None:
        parts = [list(rows[at : at + asked]) for at in range(0, len(rows), asked)]
    else:
        length = int(np.clip(KEPT / max(each, KEPT / MOST), 1, MOST))
        parts = [part.tolist() for part in np.array_split(np.asarray(rows, int), -(-len(rows) // length))]
    return [(part, each * len(part)) for part in parts]


def _first(catalogue: Catalogue, rows: Sequence[int], pad: bool) -> Problem | None:
    """The first galaxy that can be prepared; what is wrong with others is said when their turn comes."""
    for row in rows[:LOOKS]:
        job = catalogue.job(row)
        with contextlib.suppress(InputError):
            return make(job.scene, padded(job.observations) if pad else job.observations, job.settings["sampling"])
    return None
