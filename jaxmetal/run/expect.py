"""What a run is going to do, before it does it."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from jaxmetal.fit.cost import duration
from jaxmetal.io.sample.columns import NAME, REDSHIFT
from jaxmetal.run.catalogue import Catalogue
from jaxmetal.run.needs import LOOKS
from jaxmetal.run.plans import RunPlan
from jaxmetal.run.started import StartedRun

GRACE, LATE = 20.0, 1.5
"""Seconds of compilation that nobody promised, and the factor from which an expected time is exceeded."""

FEW = 5
"""Unreadable galaxies that are named."""


def report(plan: RunPlan) -> str:
    """Groups, shapes, memory per device and expected time.

    Args:
        plan: see `run.plan`.

    Raises:
        InputError: if the catalogue has changed since it was planned.
    """
    catalogue = plan.sample()
    devices = ", ".join(f"{device.platform}:{device.id}" for device in jax.devices())
    lines = [
        f"{len(catalogue.names)} galaxies in {len(plan.groups)} group(s) that share a program, {len(plan.chunks)} "
        f"chunk(s); devices: {devices}; stamps "
        + ("padded to few sizes." if plan.options["pad"] else "of the sizes that they have."),
        *_unreadable(plan, catalogue),
        *_columns(catalogue),
    ]
    for group in plan.groups:
        shapes = " + ".join(" x ".join(map(str, shape[:2])) for shape in group["shapes"])
        if "seconds" not in group:
            lines.append(f"  {group['galaxies']} of {shapes} pixels: not timed, as the first {LOOKS} cannot be")
            continue
        lines.append(
            f"  {group['galaxies']} of {shapes} pixels, {group['parameters']} parameters: {group['together']} at a "
            f"time, {group['mebibytes']:.0f} MiB per device, about {group['seconds']:.2g} s each"
        )
    lines.append(f"Expected: {duration(sum(plan.seconds))} and some seconds of compilation for each group.")
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
    if carried:
        lines.append(f"Columns that are only carried to the table of results: {', '.join(carried)}.")
    if alike and (meant := [name for name in carried if name.lower() in ("z", "redshift")]):
        lines.append(f"  {meant[0]} is one of them: should it be the redshift of each galaxy, name it {REDSHIFT}.")
    return lines


class Expectation:
    """How long galaxies should take, and what has become of that.

    Attributes:
        each: seconds of every galaxy, in the order in which they are fitted; empty where nothing is known.
    """

    def __init__(self, run: StartedRun, chunks: Sequence[int]) -> None:
        known = run.plan.seconds
        members = [(number, len(run.plan.chunks[number])) for number in chunks] if known else []
        self.each = [known[number] / count for number, count in members for _ in range(count)]

    def corrected(self, done: int, elapsed: float) -> str:
        """What to say of the time once it is exceeded: the pace so far, or the least that it can be.

        Args:
            done: galaxies that are done.
            elapsed: seconds since the first began.
        """
        whole, behind = sum(self.each), sum(self.each[:done])
        base = behind or next((seconds for seconds in self.each if seconds > 0.0), 0.0)
        if base == 0.0 or done == len(self.each) or elapsed < GRACE + LATE * base:
            return ""
        pace = elapsed / base
        least = "at least" if behind == 0.0 else "about"
        return f"slower than the {duration(whole)} expected, now {least} {duration(pace * whole)} in all"
