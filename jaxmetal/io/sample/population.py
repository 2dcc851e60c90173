"""From the table of a run's results to what a population model takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.arrays import LARGEST
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.physical import lone, repeated
from jaxmetal.io.sample.beside import in_unit_of
from jaxmetal.io.sample.columns import (
    FAILED,
    HIGH,
    LOW,
    NAME,
    PER_KPC,
    PER_R_EFF,
    PERIOD,
    POSTERIORS,
    RESOLVED,
    SUSPECT,
)
from jaxmetal.io.sample.medians import Columns, half_width, measured
from jaxmetal.io.sample.stored import stored
from jaxmetal.io.tables import column_units, read_table
from jaxmetal.population import Covariate, Draws, Measured
from jaxmetal.population.columns import words

NO = ("false", "f", "no", "n", "0")
"""How a text says that something is not so, in lower case."""


class Population(NamedTuple):
    """A sample as `population.fit` takes it.

    Attributes:
        quantity: of the galaxies that can be used; what was done to get there is among its findings.
        covariates: column -> values, of the same galaxies.
    """

    quantity: Measured | Draws
    covariates: dict[str, Covariate]


def read_population(
    path: str | Path,
    *,
    of: str,
    against: Mapping[str, float | None],
    errors: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Population:
    """Reads one column of a table as a quantity that depends on others.

    The prior of every single fit must not count as data. If the run kept its posteriors (`batch --posteriors`), the
    draws of a parameter, or of a slope per kpc, are reused with the prior divided out. Else, where the table says that
    the data narrowed a prior of median p by a factor N, a galaxy's posterior is the split normal that has its median,
    16 and 84 % quantiles, and the prior is divided out as a Gaussian: with mode m and sides s the value is
    p + (m - p) / (1 - 1/N^2), its errors s / (1 - 1/N^2)^(1/2), and galaxies with N < 1.05, which say nothing then, are
    left out. Other tables are taken as papers print them, value (+upper, -lower): the true value has a split-normal
    likelihood about the value, whose two sides are the distances to the ends of the interval. Gradients that are not
    resolved, and suspect fits, stay: leaving them out would bias the relation.

    Args:
        path: results.ecsv or results.fits of a run, or another table (ECSV, FITS or text).
        of: the quantity's column, with columns `<of>_lo` and `<of>_hi` (ends of its 68 % interval) or one of errors.
        against: column of each covariate -> pivot, in the column's unit; None: the median of the sample.
        errors: column -> column of its Gaussian errors; a covariate without one is known exactly.
        units: column -> its unit, instead of what the table says; nothing is converted. Where the table says the units
            of values and of their errors or intervals, these are converted to that of the values.
        labels: column -> what axes say; its name's words otherwise.

    Raises:
        InputError: if a column is missing, holds no numbers or angles, errors are of another dimension, what is said is
            of others than these, no galaxy has all of them, or intervals have no width.
    """
    path, errors, units, labels = Path(path), dict(errors or {}), dict(units or {}), dict(labels or {})
    _require_a_relation(of, against, errors | units | labels)
    named, interval = (of, *against, *errors.values()), () if of in errors else (of + LOW, of + HIGH)
    everything, numbers = read_table(path, required=named), (*named, *interval)
    if not set(interval) <= everything.keys():
        raise InputError(
            f"{path} must have columns {' and '.join(interval)}, the 16 and 84 % quantiles of {of}, or one of its "
            f"errors; name that (errors={{'{of}': ...}}, --error {of}=COLUMN)."
        )
    for name in numbers:
        _require_numbers(everything, name, path)
    for name in (of, *against):
        _require_a_line(everything, name, path)
    kept, findings = _complete(everything, numbers, path)
    table = {name: column[kept] for name, column in everything.items()}
    rows = everything.get(NAME, np.array([f"row {number + 1}" for number in range(len(kept))]))[kept]
    for name in (of, *against):
        where, values = f"{name} of {path.name}", table[name]
        shared = repeated(where, values, 0.0, np.ones(values.shape, bool))
        findings.extend(shared or (lone(where, values, rows) if name in against else ()))
    stated = column_units(path)
    # What the caller states instead may correct the table, whose units of errors then are no better.
    known = {name: unit for name, unit in stated.items() if name not in units}
    units = {name: unit.replace(" ", "") for name, unit in stated.items()} | units
    labels = {name: words(name) for name in (of, *against)} | labels
    sigmas = {name: in_unit_of(table, name, [errors[name]], known, path.name)[errors[name]] for name in errors}
    own = {errors[of]: sigmas[of]} if of in errors else in_unit_of(table, of, interval, known, path.name, ends=True)
    quantity, told = _quantity(table | own, of, errors.get(of), path, findings)
    settled = dataclasses.replace(quantity, label=labels[of], unit=units.get(of, ""), findings=tuple(findings))
    covariates = {
        name: Covariate(
            values=table[name][told],
            pivot=float(np.median(table[name][told])) if pivot is None else pivot,
            sigma=sigmas[name][told] if name in errors else None,
            label=labels[name],
            unit=units.get(name, ""),
        )
        for name, pivot in against.items()
    }
    return Population(settled, covariates)


def _require_a_relation(of: str, against: Mapping[str, Any], described: Mapping[str, str]) -> None:
    unasked = sorted(set(described) - {of, *against})
    if not against or of in against or unasked:
        found = f"'{unasked[0]}' described" if unasked else f"'{of}' against itself" if against else "no covariate"
        raise InputError(
            "Expected a quantity, other columns that it may depend on, and errors, units or labels of these alone, "
            f"found {found}; correct it."
        )


def _require_numbers(table: Columns, name: str, path: Path) -> None:
    if table[name].dtype.kind not in "iuf" or table[name].ndim != 1:
        raise InputError(
            f"The column {name} of {path} must hold one number per galaxy, found {table[name].dtype.name} of shape "
            f"{table[name].shape}; choose another column."
        )
    largest = np.max(np.abs(table[name]), initial=0.0, where=np.isfinite(table[name]))
    if largest > LARGEST:
        raise InputError(
            f"The column {name} of {path} must hold numbers of at most {LARGEST:g}, found {largest:.3g}; correct it."
        )


def _require_a_line(table: Columns, name: str, path: Path) -> None:
    if name + PERIOD not in table:
        return
    period = float(np.nanmax(table[name + PERIOD]))
    raise InputError(
        f"The column {name} of {path} must hold numbers on a line, found angles that are the same again after "
        f"{period:g} degrees, which have no mean or scatter; make columns of the cosine and the sine of "
        f"{360.0 / period:g} times the angle, with their errors, and take these."
    )


def _complete(table: Columns, numbers: tuple[str, ...], path: Path) -> tuple[np.ndarray, list[Finding]]:
    """Which rows have a fit and all numbers, and what became of the others."""
    count = len(table[numbers[0]])
    status = _lower(table.get("status", np.full(count, "")))
    kept, reasons = status != FAILED, [f"{np.sum(status == FAILED)} failed"]
    for name in numbers:
        absent = kept & ~np.isfinite(table[name])
        kept, reasons = kept & ~absent, [*reasons, f"{np.sum(absent)} without {name}"]
    if not kept.any():
        raise InputError(
            f"No galaxy of {path} has all of {', '.join(numbers)}; choose other columns, or fit by a method with draws "
            "where only best values were sought."
        )
    left_out = [reason for reason in reasons if not reason.startswith("0 ")]
    ending = f"; left out: {', '.join(left_out)}." if left_out else "."
    findings = [Finding("info", f"{kept.sum()} of {count} galaxies have a fit and all columns{ending}")]
    if suspect := int(np.sum(status[kept] == SUSPECT)):
        text = f"{suspect} of them are suspect, and kept: read their messages in {path.name}."
        findings.append(Finding("warning", text))
    return kept, findings


def _quantity(
    table: Columns, of: str, error: str | None, path: Path, findings: list[Finding]
) -> tuple[Measured | Draws, np.ndarray]:
    """The quantity from the best of what there is, and which rows it is of."""
    if error is not None:
        findings.append(Finding("info", f"Values of {of} as they are, with {error} as their Gaussian errors."))
        return Measured(values=table[of], sigma=table[error]), np.ones(len(table[of]), bool)
    if backwards := int(np.sum(table[of + HIGH] < table[of + LOW])):
        raise InputError(
            f"{of}{LOW} of {path} must be the lower end of an interval, but is above {of}{HIGH} for {backwards} "
            "galaxies; exchange the columns."
        )
    flat = int(np.sum(~((table[of + LOW] < table[of]) & (table[of] < table[of + HIGH]))))
    if flat:
        raise InputError(
            f"{of} must lie inside of {of}{LOW} to {of}{HIGH}, but intervals of {path} have no width for {flat} "
            "galaxies, on one side or on both; fit them by a method with draws, or correct the table."
        )
    reused = _reused(path.parent / POSTERIORS, table, of, findings)
    quantity, kept = (reused, np.ones(len(table[of]), bool)) if reused else measured(table, of, findings)
    if not kept.any():
        raise InputError(f"The data of no galaxy in {path} narrowed the prior of {of}; choose another column.")
    resolved = of.removesuffix(PER_KPC).removesuffix(PER_R_EFF) + RESOLVED
    if unresolved := _denied(table[resolved][kept]) if resolved in table else 0:
        text = f"{unresolved} gradients are not resolved, and kept: they weigh little, and leaving them out biases."
        findings.append(Finding("info", text))
    return quantity, kept


def _denied(column: np.ndarray) -> int:
    """How many entries say no; missing ones say nothing."""
    no = np.isin(_lower(column), NO) if column.dtype.kind in "US" else column == 0
    return int(np.sum(no))


def _lower(column: np.ndarray) -> np.ndarray:
    """Words, however they are written."""
    return np.char.lower(np.char.strip(column.astype(str)))


def _reused(folder: Path, table: Columns, of: str, findings: list[Finding]) -> Draws | None:
    """The quantity as draws, if every galaxy has a stored posterior with its prior."""
    parameter = of.removesuffix(PER_KPC)
    if not any(folder.glob("*.nc")) or not {NAME, parameter} <= table.keys():
        return None
    found = stored(folder, table[NAME], parameter)
    if found.absent:
        which = f" ({len(found.damaged)} are damaged, such as '{found.damaged[0]}')" if found.damaged else ""
        text = (
            f"{found.absent} galaxies lack a posterior of {parameter} with its prior{which}: the table is used "
            "instead; jaxmetal batch --resume fits what is missing or damaged."
        )
        findings.append(Finding("warning", text))
        return None
    # By what the run itself took a slope per arcsec to one per kpc.
    scale = (half_width(table, of) / half_width(table, parameter))[:, None]
    count = found.draws.shape[1]
    text = f"{count} draws of {of} from each galaxy's stored posterior, the prior of its fit divided out."
    findings.append(Finding("info", text))
    bars = "median and 68 % interval,\neach fit's prior still in"
    return Draws(values=found.draws * scale, log_prior=found.log_prior - np.log(scale), bars=bars)
