"""Data that cannot be what they are said to be: beyond what is physical, or a number that stands for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import ends
from jaxmetal.numerics.robust import robust_scatter

NOISE = 5.0
"""Standard deviations by which noise may carry a datum beyond what is physical."""
ALIKE = 3
"""Data of exactly one value that are no longer chance: noise does not repeat itself."""
FAR = 20.0
"""Distance of a repeated value from the others, in their robust scatter or their errors, that is suspicious."""
LONE, ENOUGH = 10.0, 8
"""Robust scatters from all others at which one value is suspicious, in samples of so many rows at least."""
LISTED = 3
"""Rows that are named."""
EXTREME = 1e6
"""The same distance from which a datum alone is."""
SOME, DIFFERENT, MANY = 0.05, 0.95, 20
"""Share of data at one value, from which it stands out if this share of the others, so many at least, are different."""
ADVICE = "where there is no datum give NaN or mask it"


def require_physical(name: str, quantity: Any, values: Any, used: Any, sigma: Callable[[], Any]) -> None:
    """Refuses data beyond the range of what they show: by more than 5 sigma, or at one value again and again.

    Args:
        name: of the data, for the sentence.
        quantity: what they show, its `label` and the interval that it is `within`, as "[5, 10]" (see `edge.ranges`).
        values: of any shape.
        used: boolean, of that shape.
        sigma: what gives standard deviations, of that shape or a number; called only where data lie beyond.

    Raises:
        InputError: saying how many, and which value is repeated.
    """
    used = np.asarray(used, bool)
    data = np.asarray(values, float)[used]
    low, high = ends(quantity.within)
    beyond = np.maximum(low - data, data - high)
    if not np.any(beyond > 0.0):
        return
    errors = np.broadcast_to(np.asarray(sigma(), float), used.shape)[used]
    kinds, index, counts = np.unique(data, return_inverse=True, return_counts=True)
    outside = (beyond > NOISE * errors) | ((beyond > 0.0) & (counts[index.ravel()] >= ALIKE))
    if not outside.any():
        return
    usual = int(np.argmax(np.where(np.isin(kinds, data[outside]), counts, 0)))
    found = f"{int(outside.sum())} of {data.size} outside, {counts[usual]} of them {kinds[usual]:g}"
    raise InputError(
        f"{name}: expected {quantity.label} within {quantity.within}, found {found}; {ADVICE}, or name the property of "
        "another quantity otherwise."
    )


def repeated(name: str, values: Any, sigma: Any, used: Any) -> tuple[Finding, ...]:
    """A warning of a value that many data share, far from all others: usually it stands for none.

    Args:
        name: of the data, for the sentence.
        values: of any shape.
        sigma: standard deviations, of that shape or a number; 0 where there are none.
        used: boolean, of that shape.
    """
    data, errors = _used(values, sigma, used)
    kinds, counts = np.unique(data, return_counts=True)
    for value in kinds[np.argsort(-counts)][: int(np.sum(counts >= ALIKE))]:
        others = data[data != value]
        if others.size < ALIKE:
            continue
        middle, scatter = _usual(others, errors)
        if abs(value - middle) > FAR * scatter > 0.0:
            text = f"{name}: {int(np.sum(data == value))} of {data.size} data are {value:g}, far from all others"
            return (Finding("warning", f"{text}; {ADVICE}."),)
    return ()


def lone(name: str, values: Any, rows: Any) -> tuple[Finding, ...]:
    """A warning of values of a sample, even of one, that are far from all others: some stand for none.

    Of 30 numbers from a normal distribution less than one sample in 10,000 has any, of 8 one in 200.

    Args:
        name: of the column, for the sentence.
        values: shape (n,).
        rows: what each row is called, shape (n,).
    """
    scatter = robust_scatter(values)
    others = values[np.abs(values - np.median(values)) <= LONE * scatter]
    if len(values) < ENOUGH or scatter == 0.0:
        return ()
    far = np.maximum(others.min() - values, values - others.max()) > LONE * scatter
    if not far.any():
        return ()
    which = [f"{value:g} ({row})" for value, row in zip(values[far], np.asarray(rows)[far], strict=True)]
    more = f" and {len(which) - LISTED} more" if len(which) > LISTED else ""
    text = f"{name}: {', '.join(which[:LISTED])}{more} of {len(values)} are far from all others, and kept"
    return (Finding("warning", f"{text}; if they stand for none, give NaN or leave them empty."),)


def extreme(name: str, values: Any, sigma: Any, used: Any) -> tuple[Finding, ...]:
    """A warning of data a million times further from the others than these scatter, be it one (see `repeated`)."""
    data, errors = _used(values, sigma, used)
    if data.size < ALIKE:
        return ()
    middle, scatter = _usual(data, errors)
    far = data[np.abs(data - middle) > EXTREME * scatter] if scatter > 0.0 else data[:0]
    if not far.size:
        return ()
    farthest = far[np.argmax(np.abs(far - middle))]
    text = f"{name}: {far.size} of {data.size} data lie beyond all others, as far as {farthest:g}"
    return (Finding("warning", f"{text}; {ADVICE}."),)


def standing_for_none(name: str, values: Any, sigma: Any, used: Any) -> tuple[Finding, ...]:
    """The first warning there is of `repeated`, `extreme` and `filled` measurements; arguments as of `repeated`."""
    far = repeated(name, values, sigma, used) or extreme(name, values, sigma, used)
    return far or filled(name, values, used)


def filled(name: str, values: Any, used: Any) -> tuple[Finding, ...]:
    """A warning of a value that many pixels share while the others hardly ever repeat, wherever it lies.

    A limit to which a calibration was cut, 0 in the place of what is negative or unknown. Of measurements with noise,
    not of rounded numbers.

    Args:
        name: of the data, for the sentence.
        values: of any shape.
        used: boolean, of that shape.
    """
    data = np.asarray(values, float)[np.asarray(used, bool)]
    kinds, counts = np.unique(data, return_counts=True)
    same = int(counts.max(initial=0))
    if not same > max(ALIKE - 1, SOME * data.size) or not kinds.size > DIFFERENT * (data.size - same) >= MANY:
        return ()
    value = kinds[np.argmax(counts)]
    text = f"{name}: {same} of {data.size} data are exactly {value:g}, while the others hardly ever repeat"
    more = ", and do not cut off what is negative" if value == 0.0 else ""
    return (Finding("warning", f"{text}; {ADVICE}{more}."),)


def varied(name: str, values: Any, used: Any) -> tuple[Finding, ...]:
    """A warning of data that are all the same.

    Args:
        name: of the data, for the sentence.
        values: of any shape.
        used: boolean, of that shape.

    Raises:
        InputError: if they are all zero.
    """
    data = np.asarray(values, float)[np.asarray(used, bool)]
    if data.size < ALIKE or np.ptp(data) > 0.0:
        return ()
    if data[0] == 0.0:
        raise InputError(f"{name}: expected data, found 0 in all {data.size}; check the file, or leave it out.")
    return (
        Finding("warning", f"{name}: all {data.size} data are {data[0]:g}, which no measurement gives; look at it."),
    )


def _used(values: Any, sigma: Any, used: Any) -> tuple[np.ndarray, np.ndarray]:
    """The data that are used, and their errors, in a row."""
    used = np.asarray(used, bool)
    return np.asarray(values, float)[used], np.broadcast_to(np.asarray(sigma, float), used.shape)[used]


def _usual(data: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The middle of data, and the larger of their robust scatter and their usual error."""
    return float(np.median(data)), max(robust_scatter(data), float(np.median(errors)))
