"""What a run is going to do, before it does it."""

from __future__ import annotations

import contextlib

import jax
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.cost import duration, measured
from jaxmetal.fit.galaxies import together
from jaxmetal.fit.method import Options
from jaxmetal.fit.padding import padded
from jaxmetal.fit.problem import Problem, make, size
from jaxmetal.io.sample.columns import NAME, REDSHIFT
from jaxmetal.run.catalogue import Catalogue
from jaxmetal.run.plans import RunPlan

FEW = 5
"""Unreadable galaxies that are named."""

LOOKS = 20
"""Galaxies of a group among which one that can be prepared is looked for."""


def report(plan: RunPlan) -> str:
    """Groups, shapes, memory per device and expected time; each group's densities are compiled and timed on the way.

    Args:
        plan: see `run.plan`.

    Raises:
        InputError: if the catalogue has changed since it was planned.
    """
    catalogue = plan.sample()
    options = Options.among(plan.options)
    devices = ", ".join(f"{device.platform}:{device.id}" for device in jax.devices())
    lines = [
        f"{len(catalogue.names)} galaxies in {len(plan.groups)} group(s) that share a program, {len(plan.chunks)} "
        f"chunk(s); devices: {devices}; stamps "
        + ("padded to few sizes." if plan.options["pad"] else "of the sizes that they have."),
        *_unreadable(plan, catalogue),
        *_columns(catalogue),
    ]
    seconds = 0.0
    for group, rows in zip(plan.groups, _rows_of_groups(plan), strict=True):
        shapes = " + ".join(" x ".join(map(str, shape[:2])) for shape in group["shapes"])
        problem = _first(catalogue, rows, plan.options["pad"])
        if problem is None:
            lines.append(f"  {group['galaxies']} of {shapes} pixels: the first {LOOKS} cannot be prepared")
            continue
        count = min(together(problem, options, plan.options["memory"]), max(len(c) for c in plan.chunks))
        bytes_each = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(problem))
        each = measured(problem, count).seconds(options)
        seconds += each * group["galaxies"]
        lines.append(
            f"  {group['galaxies']} of {shapes} pixels, {size(problem.sites)} parameters: {count} at a time, "
            f"{count * bytes_each / 2**20:.0f} MiB per device, about {each:.2g} s each"
        )
    lines.append(f"Expected: {duration(seconds)} and some seconds of compilation for each group.")
    return "\n".join(lines)


def _unreadable(plan: RunPlan, catalogue: Catalogue) -> list[str]:
    """Which galaxies cannot be read and why, the first few of them."""
    reasons = [f"  {catalogue.names[int(row)]}: {why}" for row, why in plan.unreadable.items()]
    if not reasons:
        return []
    rest = [f"  and {len(reasons) - FEW} more (plan.json)"] if len(reasons) > FEW else []
    return [f"{len(reasons)} cannot be read, and will be rows that say so:", *reasons[:FEW], *rest]


def _columns(catalogue: Catalogue) -> list[str]:
    """What differs between the galaxies, and what is only carried along: a misnamed column would be lost unseen."""
    carried = [name for name in catalogue.table.colnames if name not in (NAME, *catalogue.places)]
    z = catalogue.configuration.get("galaxy", {}).get("z")
    alike = f"; redshift {z:g} for all, by the configuration" if z and REDSHIFT not in catalogue.places else ""
    lines = [f"Columns that replace entries of the configuration: {', '.join(catalogue.places) or 'none'}{alike}."]
    return lines + (
        [f"Columns that are only carried to the table of results: {', '.join(carried)}."] if carried else []
    )


def _rows_of_groups(plan: RunPlan) -> list[list[int]]:
    """Readable rows of each group, in the plan's order."""
    rows = [i for chunk in plan.chunks for i in chunk if str(i) not in plan.unreadable]
    ends = np.cumsum([group["galaxies"] for group in plan.groups])
    return [part.tolist() for part in np.split(np.array(rows, int), ends[:-1])]


def _first(catalogue: Catalogue, rows: list[int], pad: bool) -> Problem | None:
    """The first galaxy that can be prepared; what is wrong with others is said when their turn comes."""
    for row in rows[:LOOKS]:
        job = catalogue.job(row)
        with contextlib.suppress(InputError):
            return make(job.scene, padded(job.observations) if pad else job.observations, job.settings["sampling"])
    return None
