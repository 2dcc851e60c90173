"""What `jaxmetal check` says of the lens: its deflectors, and what they do to the data at the medians of the priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.lens import Plane
from jaxmetal.numerics.written import written
from jaxmetal.observation import used_pixels
from jaxmetal.result.critical import critical_curves, inverse_magnification
from jaxmetal.scene import Scene

FAINTER, HARDLY = 0.1, 1.02
"""Median |mu| over data below which a lens can hardly be right, and largest |mu| up to which it does nothing."""


def deflectors(scene: Scene, reference: float | None) -> list[str]:
    """Each deflector with its numbers and priors, and for which source they hold."""
    beyond = [(name, one.distance_ratio) for name, one in scene.sources.items() if not _is_one(one.distance_ratio)]
    held = "the source" if reference is None else f"a source at z = {reference:g}"
    return [
        *(f"{name}: {written(lens)}" for name, lens in scene.lens.items()),
        f"deflections, Einstein radii and convergences are those for {held}",
        *(f"source '{name}': D_LS/D_S over that, {written(ratio)}" for name, ratio in beyond),
    ]


def effects(scene: Scene, observations: Mapping[str, Any]) -> tuple[list[str], list[Finding]]:
    """What the lens does where each observation has pixels with data, and what of it can hardly be right.

    Args:
        scene: with numbers.
        observations: likewise.
    """
    lines, found = [], []
    for name, seen in observations.items():
        grid, lens = seen.pixels, Plane(parts=scene.lens)
        if grid is None:
            continue
        mu = 1.0 / np.abs(np.asarray(inverse_magnification(lens, *(np.asarray(axis) for axis in grid.centres()))))
        mu = mu[used_pixels(seen)]
        low, middle, high = np.nanquantile(mu, (0.16, 0.5, 0.84))
        lines.append(
            f"at the medians of the priors |mu| is {middle:.3g} ({low:.3g} to {high:.3g}) over '{name}', "
            + _curve(max((_radius(one) for one in critical_curves(lens, grid, refine=False).critical), default=0.0))
        )
        if middle < FAINTER or np.nanmax(mu) < HARDLY:
            does = f"makes '{name}' fainter, by {middle:.2g}" if middle < FAINTER else f"does nothing to '{name}'"
            text = f"The lens, at the medians of its priors, {does}; check centre, strength and their units (arcsec)."
            found.append(Finding("warning", text))
    return lines, found


def _radius(curve: np.ndarray) -> float:
    """Of the circle that has the area of a closed curve, arcsec."""
    (x, y), (x_next, y_next) = curve.T, np.roll(curve, -1, axis=0).T
    return float(np.sqrt(abs(np.sum(x * y_next - x_next * y)) / (2.0 * np.pi)))


def _curve(radius: float) -> str:
    return f"critical curve of {radius:.3g} arcsec (radius of its area)" if radius else "no critical curve in its field"


def _is_one(ratio: Any) -> bool:
    return isinstance(ratio, float | int) and ratio == 1.0
