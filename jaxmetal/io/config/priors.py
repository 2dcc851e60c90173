"""Values of a configuration: numbers, lists of numbers, priors, ties."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from jaxmetal.edge.arrays import LARGEST
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.names import require_name
from jaxmetal.frame import Isotropic
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.table import choose
from jaxmetal.io.spelling import require_known
from jaxmetal.prior import Tied

DISTRIBUTIONS = (
    "AsymmetricLaplace",
    "Beta",
    "Cauchy",
    "Exponential",
    "Gamma",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "InverseGamma",
    "Laplace",
    "LogNormal",
    "LogUniform",
    "Logistic",
    "Normal",
    "Pareto",
    "SoftLaplace",
    "StudentT",
    "TruncatedCauchy",
    "TruncatedNormal",
    "Uniform",
    "Weibull",
)
"""NumPyro's distributions of single numbers that a configuration may name."""
OWN = {"Isotropic": Isotropic}
"""Others that it may name."""
POSITIVE = ("scale", "rate", "concentration", "concentration0", "concentration1", "df", "alpha", "asymmetry")
"""Their parameters that must be above 0."""


def value(given: Any, where: str, context: Context, *, several: bool = False) -> Any:
    """A leaf: a number or list (fixed), `{dist = "Normal", loc = 0, scale = 1}` (free) or `{tied = "name"}`.

    A free leaf may say where the fit is to `start`, and give its tie a distribution by naming both.

    Args:
        given: as it stands in the file.
        where: place in the file.
        context: that takes where to start.
        several: whether a list of numbers, or a prior of several, is meant there, too.

    Raises:
        InputError: if it is none of these, a prior has no width or its bounds are reversed.
    """
    if not isinstance(given, dict):
        return _counted(numbers(given, where), np.shape(given), where, several)
    if "dist" not in given and "tied" not in given:
        raise InputError(
            f"{where}: expected a number, a prior {{dist = ...}} or {{tied = ...}}, found {shown(given)}; write one."
        )
    if "dist" not in given:
        require_known(given, where, ("tied",))
        return Tied(_name(given["tied"], where))
    options = {key: v for key, v in given.items() if key not in ("dist", "tied", "start")}
    prior = distribution(given["dist"], options, where)
    _counted(prior, prior.shape(), where, several)
    tie = _name(given["tied"], where) if "tied" in given else None
    if "start" in given:
        context.starts[where if tie is None else tie] = numbers(given["start"], f"{where}.start")
    return prior if tie is None else Tied(tie, prior)


def numbers(given: Any, where: str) -> Any:
    """A finite number, or an array of them."""
    try:
        if not _is_number(given):
            raise ValueError
        array = np.asarray(given, float)
        if not np.all(np.abs(array) <= LARGEST):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"{where}: expected a finite number or a prior {{dist = ...}}, none beyond {LARGEST:g}, found "
            f"{shown(given)}; correct it."
        ) from None
    return float(array) if array.ndim == 0 else array


def pair(table: dict[str, Any], key: str, where: str) -> tuple[float, float]:
    """Two numbers, low and high."""
    value = numbers(table[key], f"{where}.{key}")
    if getattr(value, "shape", ()) != (2,):
        raise InputError(f"{where}.{key}: expected [low, high], found {shown(table[key])}; write two numbers.")
    return float(value[0]), float(value[1])


def _is_number(given: Any) -> bool:
    """Whether it is one, or a list of them, as deep as a matrix; a truth value is none."""
    depth = 0
    while isinstance(given, list) and given and depth < 2:
        if isinstance(given[0], list):
            given, depth = [one for part in given for one in (part if isinstance(part, list) else [None])], depth + 1
        else:
            return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in given)
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _counted(found: Any, shape: tuple[int, ...], where: str, several: bool) -> Any:
    """A number, or a prior, that is one where one is meant."""
    if shape and not several:
        raise InputError(
            f"{where}: expected one number or the prior of one, found a list of {' x '.join(map(str, shape))}; give "
            "one, without brackets."
        )
    return found


ELSEWHERE = {"Gaussian": "Normal", "Gauss": "Normal", "Flat": "Uniform", "TopHat": "Uniform", "Jeffreys": "LogUniform"}
"""What other codes call a distribution -> its name here."""


def distribution(name: Any, options: dict[str, Any], where: str) -> Distribution:
    """A NumPyro distribution by name and parameters.

    Raises:
        InputError: if name or parameters are not known, or describe no distribution.
    """
    if isinstance(name, str) and name in ELSEWHERE:
        raise InputError(f"{where}.dist: '{name}' is called '{ELSEWHERE[name]}' here; write that.")
    chosen = choose(name, f"{where}.dist", (*DISTRIBUTIONS, *OWN))
    made = OWN[chosen] if chosen in OWN else getattr(dist, chosen)
    parameters = {k: p for k, p in inspect.signature(made).parameters.items() if k != "validate_args"}
    require_known(options, where, parameters)
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in options:
            raise InputError(f"{where}: the parameter '{key}' of {name} is missing; add a number.")
    settled = {key: numbers(option, f"{where}.{key}") for key, option in options.items()}
    _require_width(settled, where)
    try:
        return made(**settled)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{where}: {name} cannot have these parameters ({' '.join(str(error).split())}); correct them."
        ) from None


def _require_width(options: dict[str, Any], where: str) -> None:
    for key in POSITIVE:
        if key in options and np.any(np.asarray(options[key]) <= 0):
            raise InputError(
                f"{where}.{key}: expected a number above 0, found {shown(options[key])}; "
                "a fixed parameter is a number alone."
            )
    if "low" not in options or "high" not in options:
        return
    low, high = options["low"], options["high"]
    if np.any(np.asarray(low) > np.asarray(high)):
        raise InputError(f"{where}: the bounds are reversed, low = {low} lies above high = {high}; swap them.")
    if np.any(np.asarray(low) == np.asarray(high)):
        raise InputError(
            f"{where}: the prior has no width, low and high are both {low}; to fix a parameter write the number alone."
        )


def _name(given: Any, where: str) -> str:
    if not isinstance(given, str) or not given:
        raise InputError(
            f'{where}.tied: expected the name of a tie in quotes, found {shown(given)}; write e.g. tied = "x0".'
        )
    require_name(given, f"{where}.tied")
    return given
