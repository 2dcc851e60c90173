"""Errors of data: standard deviation, variance or inverse variance, told apart by their keyword and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats, require_shape
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.numerics.quantities import has_unit

POWERS = {"sigma": 1.0, "variance": 0.5, "ivar": -0.5}
"""sigma = given ** power."""

STYLES = tuple(POWERS)

TINY = 1e4
"""Times below the median from which errors of a few data are no measurement's: an inverse variance filled in, say."""


def only_style(given: Mapping[str, Any], where: str = "errors") -> tuple[str, Any]:
    """Which of the three is given, and what.

    Args:
        given: sigma, variance, ivar -> value, None where it is not given; other names are passed over.
        where: of whom, for the sentence.

    Raises:
        InputError: unless it is exactly one.
    """
    found = [(name, given[name]) for name in STYLES if given.get(name) is not None]
    if len(found) != 1:
        names = " and ".join(name for name, _ in found) or "none"
        raise InputError(
            f"{where}: expected exactly one of {', '.join(STYLES[:-1])} and {STYLES[-1]}, found {names}; "
            "say which one your errors are."
        )
    return found[0]


def standard_deviation(shape: tuple[int, ...], unit: Any = "", **styles: Any) -> np.ndarray:
    """Sigma from exactly one of sigma, variance and inverse variance.

    What says that there is no datum (ivar 0, sigma or variance infinite) is infinite; NaN stays, and what is negative
    is -1, for `require_errors` to refuse where there are data.

    Args:
        shape: of the data.
        unit: of the data, where errors may be quantities.
        **styles: a number or an array of that shape; None where it is not given.

    Raises:
        InputError: unless exactly one is given, of the data's shape, in real numbers.
    """
    name, value = only_style(styles)
    if has_unit(value):  # astropy knows what becomes of a unit
        with np.errstate(invalid="ignore", divide="ignore"):
            name, value = "sigma", floats(name, value ** POWERS[name], unit)
    array = floats(name, value)
    if array.ndim:
        require_shape(name, array, shape)
    array = np.broadcast_to(array, shape)
    with np.errstate(divide="ignore"):
        return np.where(array < 0.0, -1.0, np.abs(array) ** POWERS[name])


def require_errors(name: str, sigma: np.ndarray, used: np.ndarray | None = None) -> None:
    """Refuses errors that are not positive where there are data.

    Args:
        name: of the errors as they were given.
        sigma: standard deviations.
        used: boolean, True where there are data; everywhere by default.

    Raises:
        InputError: saying how many, and what they are.
    """
    needed = np.ones(np.shape(sigma), bool) if used is None else used
    kinds = {"NaN": np.isnan(sigma), "zero": sigma == 0.0, "negative": sigma < 0.0}
    bad = {kind: int(np.sum(mask & needed)) for kind, mask in kinds.items() if np.any(mask & needed)}
    if bad:
        found = ", ".join(f"{count} {kind}" for kind, count in bad.items())
        raise InputError(
            f"{name}: expected positive errors wherever there are data, found {found} among {int(needed.sum())}; "
            "correct them, or leave those data out: NaN in their place, or False in the mask."
        )


def tiny(name: str, sigma: Any, used: Any) -> tuple[Finding, ...]:
    """A warning of errors far below all others, with which few data decide the fit.

    Args:
        name: of the data, for the sentence.
        sigma: standard deviations, of the shape of `used` or a number.
        used: boolean, True where there are data.
    """
    used = np.asarray(used, bool)
    errors = np.broadcast_to(np.asarray(sigma, float), used.shape)[used]
    errors = errors[np.isfinite(errors) & (errors > 0.0)]
    median = float(np.median(errors)) if errors.size else 0.0
    few = errors[errors * TINY <= median]
    if not few.size:
        return ()
    text = (
        f"{name}: the errors of {few.size} of {errors.size} data lie {median / float(few.max()):.1e} times or more "
        "below the median, so that these decide the fit"
    )
    return (Finding("warning", f"{text}; correct their errors, or mask them."),)
