"""The table of `jaxmetal lines --compare-calibrations`, as a file and as text."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from jaxmetal.edge.writing import writing
from jaxmetal.fluxmaps import Found, mixtures
from jaxmetal.io.config.lines import LinesJob
from jaxmetal.io.config.lines.compare import Choices
from jaxmetal.io.folder import MARKER
from jaxmetal.io.record import provenance
from jaxmetal.io.tables import write_table

UNITS = dict.fromkeys(("slope", "own", "error"), "dex / arcsec") | dict.fromkeys(("central", "central_error"), "dex")
DESCRIPTIONS = {
    "lines": "lines that were used",
    "calibrations": "set of calibrations",
    "law": "dust law",
    "slope": "of a straight line through the metallicities",
    "own": "its error by the noise of the fluxes",
    "error": "its error with what all spectra share through the calibrations",
    "central": "12 + log(O/H) of the line at radius 0",
    "central_error": "its error, likewise",
    "spectra": "through how many the line goes",
    "log_evidence": "of the fluxes of the galaxy as a whole",
    "weight": "by evidence, among choices of the same lines",
}


def save_choices(job: LinesJob, compared: Choices, folder: str | Path) -> None:
    """Writes choices.ecsv, summary.txt and provenance.json into an existing folder.

    Raises:
        InputError: if the folder cannot be written or an input cannot be read.
    """
    folder = Path(folder)
    with writing(folder):
        rows = [dataclasses.asdict(one) | {"lines": " ".join(one.lines)} for one in compared.found]
        columns = {name: [row[name] for row in rows] for name in DESCRIPTIONS}
        write_table(
            folder / "choices.ecsv",
            columns,
            units=UNITS,
            descriptions=DESCRIPTIONS,
            meta={"radius": compared.radius},
        )
        (folder / "summary.txt").write_text(choices_text(job, compared), encoding="utf-8")
        record = provenance(job.inputs, seed=job.seed, configuration=job.configuration)
        (folder / MARKER).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def choices_text(job: LinesJob, compared: Choices) -> str:
    """A line for each choice, and what all of the same lines say together."""
    head = f"{job.name}: slopes along the {compared.radius}, dex/arcsec."
    lines = [
        head,
        f"  {'calibrations':14}{'dust':12}{'slope':>9}{'own':>8}{'with shared':>13}{'centre':>9}{'weight':>9}",
    ]
    for used in dict.fromkeys(one.lines for one in compared.found):
        lines.append(f"{', '.join(used)}:")
        lines += [_row(one) for one in compared.found if one.lines == used]
        for one in mixtures(compared.found):
            if one.lines == used:
                said = f"{one.slope:+.4f} +- {one.error:.4f}, of that {one.between:.4f} between them"
                lines.append(f"  together: {said}")
    lines.append(
        "Weights are by the evidence of the fluxes of the whole galaxy, whose gas departs from a calibration once; "
        "they do not compare different lines. Lines through spaxels are blurred: --fit for the intrinsic gradient."
    )
    return "\n".join(lines) + "\n"


def _row(one: Found) -> str:
    numbers = f"{one.slope:+9.4f}{one.own:8.4f}{one.error:13.4f}{one.central:9.3f}{one.weight:9.3f}"
    return f"  {one.calibrations:14}{one.law:12}{numbers}"
