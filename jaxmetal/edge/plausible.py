"""What can be read but can hardly be right: blurs wider than what was seen through them, maps that lie otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxmetal.edge.findings import Finding

WIDE = 0.5
"""FWHM over the longer side of a map from which it is suspicious."""
NARROW = 0.7
"""Width of what is seen over the FWHM below which it is suspicious: nothing is sharper than its blur."""
SMALL = 4.0
"""FWHM over the half-light radius of a prior from which it is suspicious."""
CLEAR = 10.0
"""Signal-to-noise of the peak from which the width of an image is known."""
ALIKE, BETTER = 0.6, 0.05
"""Correlation of a map's footprint, turned over, with the light, and by how much more it is than as the map lies."""
FAR = 0.5
"""Distance between the centres of a map and of the light, in radii of the light, from which it is suspicious."""
LONG, AWAY = 0.7, 30.0
"""Axis ratio below which an image has a direction, and degrees by which a prior may miss it."""
LOUD, SEVERAL = 5.0, 20
"""Median error over the scatter of data, which holds the errors, from which it is suspicious, and of how many data."""
TURN = 180.0
UNIT = "check its unit: a FWHM is in arcsec, not in pixels"

TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "with rows and columns exchanged": lambda array: array.T,
    "upside down": lambda array: array[::-1],
    "with left and right exchanged": lambda array: array[:, ::-1],
    "turned by 180 degrees": lambda array: array[::-1, ::-1],
    "turned by 90 degrees": np.rot90,
    "turned by -90 degrees": lambda array: np.rot90(array, -1),
}
"""Ways in which arrays are turned over."""


def wide_blur(name: str, fwhm: float, across: float, seen: float | None, size: float | None) -> list[Finding]:
    """Warnings of a PSF that is wide for its map, for what was seen through it, or for the galaxy.

    Args:
        name: of the PSF.
        fwhm: its full width at half maximum, arcsec.
        across: longer side of the map, arcsec.
        seen: width of what the map shows, see `width_of` and `footprint`; None where it is not known.
        size: half-light radius that the prior thinks typical; None likewise.
    """
    found = []
    if fwhm > WIDE * across:
        found.append(f"{fwhm / across:.0%} of the map's longer side ({across:.3g} arcsec)")
    if seen is not None and seen < NARROW * fwhm:
        found.append(f"wider than what is seen through it ({seen:.2g} arcsec)")
    if size is not None and fwhm > SMALL * size:
        found.append(f"{fwhm / size:.3g} times the half-light radius that the prior expects ({size:.2g} arcsec)")
    if not found:
        return []
    return [Finding("warning", f"{name}: the FWHM ({fwhm:.3g} arcsec) is {', and '.join(found)}; {UNIT}.")]


def width_of(image: np.ndarray, sigma: np.ndarray, pixel_area: float) -> float | None:
    """Diameter of the circle as large as the area above half of an image's peak, arcsec; None where noise rules.

    Args:
        image: flux, 0 where it is not known.
        sigma: its errors.
        pixel_area: arcsec^2.
    """
    smooth, weights = _smoothed(image), _smoothed(np.square(np.where(np.isfinite(sigma), sigma, 0.0)), power=2)
    at = np.unravel_index(np.argmax(smooth), smooth.shape)
    if not smooth[at] > CLEAR * np.sqrt(weights[at]):
        return None
    return footprint(smooth > 0.5 * smooth[at], pixel_area)


def footprint(used: np.ndarray, pixel_area: float) -> float:
    """Diameter of the circle as large as the pixels that are True, arcsec."""
    return float(np.sqrt(4.0 * np.sum(used) * pixel_area / np.pi))


def turned_over(name: str, weight: np.ndarray, light: np.ndarray, of: str) -> list[Finding]:
    """A warning of a map whose footprint would fit the light much better if its array were turned over or moved.

    Args:
        name: of the map.
        weight: what its pixels weigh, 1 / sigma^2 where they are used and 0 elsewhere, shape (ny, nx).
        light: at the same pixels.
        of: whose light it is.
    """
    footprint, seen = np.sqrt(np.maximum(weight, 0.0)), np.sqrt(np.maximum(light, 0.0))
    now = correlation(footprint, seen)
    fits = {how: correlation(_within(turn(footprint), seen.shape), seen) for how, turn in TURNS.items()}
    best = max(fits, key=lambda how: fits[how])
    if fits[best] > ALIKE and fits[best] > now + BETTER:
        text = (
            f"{name}: errors and used pixels follow the light of {of} better {best} (correlation {fits[best]:.2f}) "
            f"than as they are ({now:.2f}); check how the array was written."
        )
        return [Finding("warning", text)]
    return []


def astray(name: str, middle: np.ndarray, centre: np.ndarray, radius: float, of: str) -> list[Finding]:
    """A warning of a map whose centre lies far from that of the light where the map has data.

    Args:
        name: of the map.
        middle: of its pixels, by what they weigh, (x, y), arcsec.
        centre: of the light at these pixels.
        radius: rms distance of that light from its centre, arcsec.
        of: whose light it is.
    """
    apart = float(np.hypot(*(middle - centre)))
    if apart <= FAR * radius:
        return []
    text = (
        f"{name}: its centre lies {apart:.2g} arcsec from that of the light of {of}, which has a radius of "
        f"{radius:.2g} arcsec; check world coordinates and how the arrays were written."
    )
    return [Finding("warning", text)]


def apart(name: str, of: str) -> list[Finding]:
    """A warning of a map with no light of its galaxy anywhere in it."""
    text = (
        f"{name}: {of} has no light where it has data: the two do not overlap on the sky; check their world "
        "coordinates, centres and pixel scales."
    )
    return [Finding("warning", text)]


def loud(name: str, data: np.ndarray, sigma: np.ndarray, unit: str) -> list[Finding]:
    """A warning of errors by which data would scatter far more than they do.

    Args:
        name: of the map.
        data: that are used, shape (n,).
        sigma: their errors.
        unit: of both.
    """
    if np.size(data) < SEVERAL:
        return []
    scatter, error = 0.5 * float(np.subtract(*np.quantile(data, [0.84, 0.16]))), float(np.median(sigma))
    if not error > LOUD * scatter:
        return []
    text = (
        f"{name}: the median error ({error:.3g} {unit}) is {error / scatter if scatter else np.inf:.3g} times the "
        f"scatter of the data ({scatter:.2g} {unit}); check that it is no other extension, nor a variance or a weight."
    )
    return [Finding("warning", text)]


def misdirected(name: str, low: float, high: float, seen: tuple[float, float] | None) -> list[Finding]:
    """A warning of a position angle that leaves out what an image shows, which radians explain where they do.

    Where no image tells, a small number that is not whole is worth a word.

    Args:
        name: of the angle.
        low: least that it can be, degrees.
        high: most; the same for a number.
        seen: position angle, degrees, and axis ratio of the light, where they are known.
    """
    given = f"{name}: {low:.4g} degrees" if low == high else f"{name}: {low:.4g} to {high:.4g} degrees"
    small = max(abs(low), abs(high)) < 2.0 * np.pi
    if seen is None or seen[1] > LONG:
        doubtful = small and low == high and not float(low).is_integer()
        text = f"{given}; were it in radians, that would be {np.rad2deg(low):.0f} degrees, as which it should be given."
        return [Finding("info", text)] if doubtful else []
    angle, _ = seen
    if _beyond(angle, low, high) <= AWAY:
        return []
    radians = small and _beyond(angle, np.rad2deg(low), np.rad2deg(high)) <= AWAY / 2.0
    why = "it would fit in radians, but angles are in degrees" if radians else "degrees East of North are expected"
    text = f"{given} leaves out the position angle of the light, about {angle:.0f} degrees; {why}."
    return [Finding("warning", text)]


def in_radians(name: str, low: float, high: float) -> list[Finding]:
    """A warning of a prior of an angle in degrees that spans a half, a whole or a quarter turn of radians."""
    if not any(abs((high - low) / width - 1.0) < 0.005 for width in (np.pi / 2.0, np.pi, 2.0 * np.pi)):
        return []
    text = (
        f"The prior of '{name}' spans {high - low:.4g} degrees, a turn in radians; angles are in degrees: convert it."
    )
    return [Finding("warning", text)]


def _beyond(angle: float, low: float, high: float) -> float:
    """Degrees by which an axis lies outside an interval."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    away = abs((angle - middle + 0.5 * TURN) % TURN - 0.5 * TURN)
    return max(0.0, away - half)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of two maps, Pearson's; 0 where one of them is constant."""
    a, b = one - one.mean(), other - other.mean()
    size = np.sqrt(np.sum(a**2) * np.sum(b**2))
    return float(np.sum(a * b) / size) if size > 0.0 else 0.0


def _within(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array about the middle of a frame of another shape, cut and filled with zeros."""
    made = np.zeros(shape)
    ours, theirs = [], []
    for n, m in zip(array.shape, shape, strict=True):
        size = min(n, m)
        ours.append(slice((n - size) // 2, (n - size) // 2 + size))
        theirs.append(slice((m - size) // 2, (m - size) // 2 + size))
    made[tuple(theirs)] = array[tuple(ours)]
    return made


def _smoothed(values: np.ndarray, power: int = 1) -> np.ndarray:
    """Weighed by 1, 2, 1 along both axes, or by the squares of these weights over those of their sum."""
    weights = (np.array([1.0, 2.0, 1.0]) / 4.0) ** power
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, weights, mode="same")
    return values
