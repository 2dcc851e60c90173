"""Where a scene asks more of what observations rest on (calibrations, models) than that knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.observation import ranges_of, ratios_of, used_pixels
from jaxmetal.result.on_source import on_source, traced_by
from jaxmetal.scene import Scene, Source

SOME = 0.1
"""Share of an observation's pixels from which it is said that they lie beyond a range."""
FAR = 3.0
"""Scatters of a calibration by which a galaxy's gas hardly ever departs from it."""


def extrapolated(scene: Scene, observations: Mapping[str, Any]) -> list[Finding]:
    """A finding for every property of a source that lies beyond the range of an observation, and odd departures.

    Args:
        scene: with numbers.
        observations: likewise.
    """
    found: list[str] = []
    for name, one in observations.items():
        if ranges_of(one):
            for source, _ in one.shown(scene):
                found += _beyond(scene, name, one, source)
    known = {ratio for one in observations.values() for ratio in ratios_of(one)}
    found += [text for name, source in scene.sources.items() for text in _departing(name, source, known)]
    return [Finding("warning", text) for text in dict.fromkeys(found)]


def _beyond(scene: Scene, name: str, observation: Any, source: str) -> Iterator[str]:
    used = used_pixels(observation)
    galaxy = scene.sources[source]
    carried = on_source(galaxy, traced_by(scene.lens, observation.pixels.centres(), galaxy.distance_ratio)).carried
    for prop, (low, high) in ranges_of(observation).items():
        if prop in carried and used.any():
            values = np.broadcast_to(carried[prop], used.shape)[used]
            share = float(np.mean((values < low) | (values > high)))
            if share > SOME:
                yield (
                    f"'{name}': {prop} of '{source}' lies beyond {low:.4g} to {high:.4g}, where it is calibrated, in "
                    f"{100 * share:.0f} % of the pixels; use other calibrations, or a prior that stays within."
                )


def _departing(name: str, source: Source, known: set[str]) -> Iterator[str]:
    for ratio, value in source.departures.items():
        if ratio not in known:
            yield f"'{name}': the departure of {ratio} changes nothing that is observed; remove it or correct its name."
        if np.ndim(value) == 0 and abs(float(value)) > FAR:
            yield (
                f"'{name}': {ratio} departs from its calibration by {float(value):.2g} of its scatters; check its "
                "lines, or use another calibration."
            )
