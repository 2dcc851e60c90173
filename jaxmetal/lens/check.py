"""Checks of tabulated deflections: axes and signs, units, and scale against an amplification map.

A single lens plane has a deflection without curl and a convergence that is not negative. A map with swapped axes or a
reversed sign has neither: its curl is one of the shear components or the convergence itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, Report
from jaxmetal.lens.derive import distortion
from jaxmetal.lens.tabulated import Tabulated
from jaxmetal.numerics.grid import Grid

CURL_NONE = 1e-3
"""Curl over the derivatives of a map (both rms) that is rounding."""
CURL_CLEAR = 0.2
"""Curl over shear (both rms) up to which a map is clearly curl-free; 0.01 is usual."""
KAPPA_HIGH, KAPPA_LOW = 5.0, 0.02
"""Where the 95th percentile of the convergence of a strong-lensing map must lie."""
STRONG_LOSS = 0.1
"""Share of the area inside critical curves that ordinary scaling leaves."""
SCALE_CLOSE = 0.05
"""Relative difference of scales that an independent amplification map cannot tell apart."""

READINGS = {
    "as they are": ((1, 0), (0, 1)),
    "with the sign of the x map reversed": ((-1, 0), (0, 1)),
    "with the sign of the y map reversed": ((1, 0), (0, -1)),
    "with both signs reversed": ((-1, 0), (0, -1)),
    "with the x and y maps swapped": ((0, 1), (1, 0)),
    "with the x and y maps swapped and both signs reversed": ((0, -1), (-1, 0)),
    "with the x and y maps swapped and the sign of the new x map reversed": ((0, -1), (1, 0)),
    "with the x and y maps swapped and the sign of the new y map reversed": ((0, 1), (-1, 0)),
}
"""The eight ways to read two maps: (true alpha_x, true alpha_y) = matrix @ (alpha_x, alpha_y)."""
GIVEN = "as they are"
ON_SKY = "{}, along West and North instead of the map's own axes"
"""A reading of maps whose components do not turn with the pixels."""


def check_map(lens: Tabulated) -> Report:
    """Checks axes, signs and units of a deflection map from its own derivatives."""
    alpha = float(lens.scale) * np.stack([np.asarray(lens.alpha_x, float), np.asarray(lens.alpha_y, float)])
    known = np.all(np.isfinite(alpha), axis=0)
    alpha, covered = np.where(known, alpha, np.nan), float(np.mean(known))
    derivatives = jacobian(alpha, lens.grid)
    if np.isfinite(derivatives).all(axis=(0, 1)).sum() < 4:
        text = f"The deflection maps hold numbers in only {covered:.0%} of their pixels; too few to use."
        return Report(findings=(Finding("error", text),), numbers={"covered": covered})
    checks = _check_axes(derivatives, lens.grid) + _check_units(derivatives, lens) + _check_scale(derivatives, lens)
    lacking = int(np.sum(~known))
    text = f"The deflection maps hold no numbers in {lacking} of their {known.size} pixels."
    coverage = Finding("warning", text) if lacking else Finding("info", "The deflection maps hold numbers everywhere.")
    return checks + Report(findings=(coverage,), numbers={"covered": covered})


def jacobian(alpha: np.ndarray, grid: Grid) -> np.ndarray:
    """Derivatives d alpha_i / d theta_j by differences between pixels, (..., 2, ny, nx) to (..., 2, 2, ny, nx)."""
    by_pixel = np.stack([np.gradient(alpha, axis=-1), np.gradient(alpha, axis=-2)], axis=-3)
    to_sky = np.linalg.inv(np.asarray(grid.matrix, float))
    return np.einsum("...ikyx,kj->...ijyx", by_pixel, to_sky)


def in_found_axes(alpha: np.ndarray, grid: Grid) -> tuple[str, np.ndarray]:
    """Two maps as they are curl-free with positive convergence: how they are read so, and the deflection.

    Their components lie along the map's own axes or along West and North, in one of `READINGS`.

    Args:
        alpha: the maps, taken to be along the map's own axes and turned to x and y, arcsec, shape (2, ny, nx).
        grid: where their pixels lie.

    Raises:
        InputError: if none of them is clearly curl-free.
    """
    matrices = _readings(grid)
    readings = {name: _read(jacobian(alpha, grid), matrix) for name, matrix in matrices.items()}
    best = _best(readings)
    if not readings[best].clear:
        raise InputError(
            f"The deflection maps must be curl-free in one of {len(READINGS)} ways to read them, along their own axes "
            f"or the sky's, but have a curl of {readings[best].curl:.2g} (rms) {best}, where their shear is "
            f"{readings[best].cross:.2g}; check that they are the two components of one deflection."
        )
    return best, np.einsum("ik,kyx->iyx", matrices[best], alpha)


def _readings(grid: Grid) -> dict[str, np.ndarray]:
    """How each reading changes a deflection that was turned from the map's own axes to the sky's, shape (2, 2)."""
    turn = np.asarray(grid.matrix, float) / np.asarray(grid.steps, float)
    back = np.linalg.inv(turn)
    own = {name: turn @ np.array(matrix) @ back for name, matrix in READINGS.items()}
    return own | {ON_SKY.format(name): np.array(matrix) @ back for name, matrix in READINGS.items()}


class _Reading(NamedTuple):
    """Curl and cross term of the shear (rms), and convergence (median), of the maps in one way of reading them."""

    curl: float
    cross: float
    kappa: float

    @property
    def clear(self) -> bool:
        return self.curl <= CURL_CLEAR * self.cross


def _read(jacobian: np.ndarray, matrix: np.ndarray) -> _Reading:
    (xx, xy), (yx, yy) = np.einsum("ik,kjyx->ijyx", matrix, jacobian)
    least = CURL_NONE * float(np.sqrt(np.nanmean(np.square(jacobian))))
    curl, cross = (float(np.sqrt(np.nanmean(np.square(one)))) for one in (yx - xy, yx + xy))
    return _Reading(curl=curl if curl > least else 0.0, cross=cross, kappa=float(np.nanmedian(xx + yy) / 2))


def _best(readings: dict[str, _Reading]) -> str:
    """Two readings, opposite in sign, share each curl: the sign of the convergence tells them apart.

    Of readings with the same curl the first: a sheet of mass has none as the maps are, nor otherwise, and where rows
    point North the sky's axes are those of the map.
    """
    massive = {name: reading for name, reading in readings.items() if reading.kappa >= 0}
    least = min(reading.curl for reading in massive.values())
    return next(name for name, reading in massive.items() if reading.curl <= least + CURL_NONE * reading.cross)


def _check_axes(jacobian: np.ndarray, grid: Grid) -> Report:
    readings = {name: _read(jacobian, matrix) for name, matrix in _readings(grid).items()}
    given, best = readings[GIVEN], _best(readings)
    numbers = {"curl_rms": given.curl, "cross_rms": given.cross, "kappa_median": given.kappa}
    measured = f"(rms curl {given.curl:.2g}, rms cross term {given.cross:.2g}, median convergence {given.kappa:.2g})"
    if best != GIVEN:
        text = f"The deflection maps must be curl-free with positive convergence and are not {measured}"
        text = f"{text}, but {best} their rms curl is {readings[best].curl:.2g}"
        finding = Finding("error", f'{text}; correct the maps, or read them with axes = "found".')
    elif not given.clear:
        finding = Finding("warning", f"The deflection maps have a large curl {measured}; check their axes.")
    else:
        finding = Finding("info", f"The deflection maps are curl-free with x West and y North {measured}.")
    return Report(findings=(finding,), numbers=numbers)


def _check_units(jacobian: np.ndarray, lens: Tabulated) -> Report:
    high = float(np.nanpercentile(np.abs(jacobian[0, 0] + jacobian[1, 1]) / 2, 95))
    pixel = float(np.mean(np.asarray(lens.grid.steps)))
    measured = f"95 % of the convergence lies below {high:.2g}"
    if high > KAPPA_HIGH:
        text = f"The deflection maps are not in arcsec: {measured}, but {KAPPA_HIGH:g} is beyond any cluster"
        finding = Finding("error", f'{text}; if in pixels of {pixel:.3g} arcsec, read them with unit = "pixel".')
    elif high < KAPPA_LOW:
        finding = Finding("warning", f"The deflection maps hardly deflect: {measured}; are they in arcsec?")
    else:
        finding = Finding("info", f"The deflection maps look like arcsec: {measured}.")
    return Report(findings=(finding,), numbers={"kappa_high": high})


def _check_scale(jacobian: np.ndarray, lens: Tabulated) -> Report:
    """Whether scaling has taken away nearly all that is strongly lensed: a sign of scaling twice."""
    scale = float(lens.scale)
    before, after = _area_inside_critical_curves(jacobian / scale), _area_inside_critical_curves(jacobian)
    if after >= STRONG_LOSS * before:
        return Report(findings=(), numbers={"scale": scale})
    text = f"Scaling the deflection maps by {scale:.3f} removes {1 - after / before:.0%} of the strongly lensed area"
    finding = Finding("warning", f'{text}; if the maps are already at the source\'s redshift, use z_map = "source".')
    return Report(findings=(finding,), numbers={"scale": scale})


def _area_inside_critical_curves(jacobian: np.ndarray) -> float:
    """Fraction of the pixels with negative det A."""
    (xx, xy), (yx, yy) = jacobian
    return float(np.mean((1 - xx) * (1 - yy) - xy * yx < 0))


def check_amplification(lens: Tabulated, amplification: np.ndarray, grid: Grid) -> Report:
    """Checks the scale of a deflection map against an amplification map of the same lens and source redshift.

    The scale is the factor s on the deflection for which |mu(s)| = 1 / |(1 - s kappa)^2 - s^2 gamma^2| is closest to
    the amplification, in the median of |log10(|mu| / amplification)| over its pixels.

    Args:
        lens: the deflection, as it would be used.
        amplification: (absolute) magnification, shape (ny, nx); zero or NaN where it is not known.
        grid: where its pixels lie.
    """
    reference = np.abs(np.asarray(amplification, float))
    at = distortion(lens, *grid.centres())
    kappa, gamma = np.asarray(at.kappa, float), np.asarray(at.gamma, float)
    known = np.isfinite(reference) & (reference > 0) & np.isfinite(kappa + gamma)
    if known.sum() < 10:
        text = f"The amplification map has {known.sum()} pixels inside the deflection maps; a comparison needs 10."
        return Report(findings=(Finding("warning", text),), numbers={})
    scale, misfit = _best_scale(kappa[known], gamma[known], reference[known])
    numbers = {"amplification_scale": scale, "amplification_misfit": misfit, "amplification_pixels": float(known.sum())}
    return Report(findings=(_judge_scale(scale, misfit, float(lens.scale)),), numbers=numbers)


def _best_scale(kappa: np.ndarray, gamma: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    def misfit(s: float) -> float:
        with np.errstate(divide="ignore"):
            log_mu = -np.log10(np.abs((1 - s * kappa) ** 2 - (s * gamma) ** 2))
        return float(np.median(np.abs(log_mu - np.log10(reference))))

    best = min(np.geomspace(0.1, 10, 401), key=misfit)
    best = min(best * np.geomspace(0.988, 1.012, 49), key=misfit)
    return float(best), misfit(best)


def _judge_scale(scale: float, misfit: float, applied: float) -> Finding:
    measured = f"(best factor {scale:.3f}, median difference there {misfit:.2f} dex)"
    if misfit > 0.15:
        return Finding("warning", f"The amplification map does not match the deflection maps at any scale {measured}.")
    if abs(scale - 1) <= SCALE_CLOSE:
        return Finding("info", f"The magnification of the deflection maps matches the amplification map {measured}.")
    if abs(applied - 1) > SCALE_CLOSE and abs(scale * applied - 1) <= 2 * SCALE_CLOSE:
        text = f"The deflection maps were scaled by {applied:.3f}, but match the amplification map unscaled {measured}"
        return Finding("error", f'{text}; they are already at the source\'s redshift: use z_map = "source".')
    text = f"The deflection maps match the amplification map only when multiplied by {scale:.3f} {measured}"
    return Finding("error", f"{text}; check z_map, the redshifts and the units of the maps.")
