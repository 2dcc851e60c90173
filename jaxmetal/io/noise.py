"""Noise maps: standard deviations, variances or inverse variances, told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.noise import POWERS, only_style, require_errors, standard_deviation
from jaxmetal.io.fits import Map
from jaxmetal.io.units import parse_unit

NAMES = {
    "sigma": ("ERR", "ERROR", "SIGMA", "STDDEV", "RMS", "UNCERT"),
    "variance": ("VAR", "VARIANCE", "STAT"),
    "ivar": ("IVAR", "WHT", "WEIGHT", "WGT"),
}
"""Usual extension names; MUSE's STAT is a variance."""
FAR, CLOSE = 10.0, 3.0
"""Ratio of the pixel-to-pixel scatter to sigma that is implausible, and that is usual."""
ROUNDING = 1e-6
"""Relative difference between two units that is none."""


def to_sigma(
    data: np.ndarray | Map, *, sigma: Any = None, variance: Any = None, ivar: Any = None, used: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """The standard deviation of each pixel, from exactly one of the three.

    Args:
        data: shape (ny, nx); noise is needed where they are finite.
        sigma: standard deviation; array, `Map` or number.
        variance: sigma^2.
        ivar: 1 / sigma^2 ("weight").
        used: True for pixels that count; noise is needed nowhere else.

    Returns:
        sigma, infinite where the noise says that there is no datum (see `edge.noise.standard_deviation`), NaN where it
        is not known (and not needed); and whether its size is that of another of the three.

    Raises:
        InputError: if not exactly one is given, shapes differ, the file of the noise says that it is another of the
            three, or noise is zero, negative or missing where needed.
    """
    name, noise = only_style({"sigma": sigma, "variance": variance, "ivar": ivar}, "noise")
    shown, values = np.asarray(_values(data), float), np.asarray(_values(noise), float)
    found = standard_deviation(shown.shape, **{name: values})
    needed = np.isfinite(shown) if used is None else np.isfinite(shown) & np.asarray(used, bool)
    _require_as_stated(name, noise, data)
    require_errors(f"{name} in {noise.path}" if isinstance(noise, Map) else name, found, needed)
    known = needed & np.isfinite(found)
    return np.where(found > 0.0, found, np.nan), _suspicions(name, np.broadcast_to(values, shown.shape), shown, known)


def _values(given: Any) -> Any:
    return given.values if isinstance(given, Map) else given


def _require_as_stated(name: str, noise: Any, data: Any) -> None:
    """Refuses noise whose own file says that it is another quantity."""
    said = {"the name of its extension": _by_extension(noise), "its unit": _by_unit(noise, data)}
    for what, other in said.items():
        if other not in (None, name):
            raise InputError(
                f"The noise {noise.path} was given as {name}, but {what} says {other}; give it as {other}, or correct "
                "its header."
            )
    scale = _scale(POWERS[name], noise, data)
    if abs(scale - 1.0) > ROUNDING:
        raise InputError(
            f"The noise {noise.path} must be in the unit of the data, '{data.unit}', but its BUNIT '{noise.unit}' "
            f"makes it {scale:.3g} times that; convert one of them, or correct its header."
        )


def _suspicions(name: str, values: np.ndarray, shown: np.ndarray, needed: np.ndarray) -> tuple[Finding, ...]:
    """Whether the size of the noise suggests another quantity."""
    other = _by_values(name, values, shown, needed)
    if other is None:
        return ()
    text = (
        f"The noise was given as {name}, but the scatter between neighbouring pixels says {other}; check which it is."
    )
    return (Finding("warning", text),)


def _by_extension(noise: Any) -> str | None:
    extension = noise.extension.upper() if isinstance(noise, Map) else ""
    return next((name for name, known in NAMES.items() if extension in known), None)


def _by_unit(noise: Any, data: Any) -> str | None:
    """The reading under which the unit of sigma is that of the data."""
    both = _units(noise, data)
    if both is None:
        return None
    return next((name for name, power in POWERS.items() if (both[0] ** power).is_equivalent(both[1])), None)


def _scale(power: float, noise: Any, data: Any) -> float:
    """The unit of sigma over that of the data, 1 where they are not known."""
    both = _units(noise, data)
    return (
        1.0 if both is None or not (both[0] ** power).is_equivalent(both[1]) else float((both[0] ** power).to(both[1]))
    )


def _units(noise: Any, data: Any) -> tuple[Any, Any] | None:
    """Those of noise and data as their files state them; None where one is not known, or has no powers."""
    if not (isinstance(noise, Map) and isinstance(data, Map) and noise.unit and data.unit):
        return None
    both = parse_unit(noise.unit), parse_unit(data.unit)
    plain = all(isinstance(u, units.UnitBase) and not isinstance(u, units.UnrecognizedUnit) for u in both)
    return both if plain and units.dimensionless_unscaled not in both else None


def _by_values(name: str, values: np.ndarray, shown: np.ndarray, needed: np.ndarray) -> str | None:
    """Another reading, where it alone agrees with the scatter of the data."""
    scatter = _scatter(np.where(needed, shown, np.nan))
    if scatter is None:
        return None
    size = float(np.median(values[needed]))
    ratio = {reading: abs(np.log(scatter / size**power)) for reading, power in POWERS.items()}
    other = min(ratio, key=lambda reading: ratio[reading])
    return other if ratio[name] > np.log(FAR) and ratio[other] < np.log(CLOSE) else None


def _scatter(shown: np.ndarray) -> float | None:
    """Robust standard deviation from neighbours that differ (those in one bin do not).

    From second differences, which the slope of a bright galaxy leaves alone; from first ones where bins leave too few.
    """
    steps = [np.diff(shown if axis == 0 else shown.T, axis=0) for axis in (0, 1)]
    bends = [np.diff(step, axis=0)[(step[1:] != 0) & (step[:-1] != 0)] for step in steps]
    for values, variance in ((bends, 6.0), (steps, 2.0)):
        found = np.concatenate([part.ravel() for part in values])
        found = found[np.isfinite(found) & (found != 0)]
        if len(found) >= 10:
            return float(1.4826 * np.median(np.abs(found)) / np.sqrt(variance))
    return None
