"""The stage between trees and jit: settles what must be concrete and computes once what no free parameter changes.

Each observation plans itself (see `observation.Observation`); here is what holds for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal import render
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import declared, require_within
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.machine import Program
from jaxmetal.numerics.profile import is_on_sky
from jaxmetal.numerics.tree import nodes, realised
from jaxmetal.observation.channels import used_somewhere
from jaxmetal.observation.contract import Numbers
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.together import predict_all, shared
from jaxmetal.prior import require_consistent, typical
from jaxmetal.scene import Scene, Source, deflection

MISSED = 0.01
"""Share of a detail's effect from which it is worth a word that it may be missed."""


def prepare(
    scene: Scene, observations: Mapping[str, Any], sampling: Mapping[str, Sampling | Mapping[str, int]] | None = None
) -> dict[str, Any]:
    """Plans the prediction of each observation.

    Args:
        scene: a model or a prior.
        observations: name -> observation, with or without free parameters; ties may run across all of them.
        sampling: name -> sample grid, or counts that replace some of its own, where the automatic choice is not wanted.

    Returns:
        name -> plan: static integers and arrays, the same for every value of the free parameters.

    Raises:
        InputError: if a fixed number, or the median of a prior, lies outside the range of its parameter, fields of a
            node contradict each other, a table has holes, a picture is part of another light, a name in the scene does
            not match, or a deflection map does not cover the data.
    """
    prior = {"scene": scene, **observations}
    require_within(prior)
    require_consistent(scene, "scene")
    for source, one in scene.sources.items():
        _check_tables(f"scene.sources.{source}", one)
        _check_pictures(f"scene.sources.{source}", one)
    for name, observation in observations.items():
        _check_names(name, scene, observation)
    # As NumPy: arithmetic on concrete numbers compiles nothing.
    now = jax.tree.map(np.asarray, typical(prior))
    require_within(now, medians=True)
    for one in (now[name] for name in observations):
        if one.noise is not None:  # traced alone: a noise refuses what it cannot be around
            jax.eval_shape(one.noise.standard_deviation, one.data, one.data)
    now_scene = realised(now["scene"])
    plans = {
        name: observation.plan(scene, Numbers(now[name], now_scene), (sampling or {}).get(name))
        for name, observation in observations.items()
    }
    if scene.lens:
        for name, plan in plans.items():
            _check_coverage(name, now[name], now_scene, plan)
    return shared(scene, observations, plans)


def findings(plans: Iterable[Any]) -> list[Finding]:
    """What is worth knowing of plans: what is left of the blur of pictures, and details too small to be sampled."""
    known = [plan for plan in plans if isinstance(plan, Plan)]
    lights = {key: sharp for plan in known for key, sharp in plan.lights.items()}
    coarse = dict.fromkeys(plan.sampling for plan in known if plan.sampling.missed > MISSED)
    return [sharp.finding(key) for key, sharp in lights.items()] + [_too_small(sampling) for sampling in coarse]


def _too_small(sampling: Sampling) -> Finding:
    return Finding(
        "warning",
        f"The smallest details need {sampling.needed:.0f} samples per pixel, but {sampling.density:g} are taken: up "
        f"to {min(sampling.missed, 1.0):.0%} of their effect may be missed; make them wider or set `sampling`.",
    )


def _check_tables(where: str, source: Source) -> None:
    """Of light and of what it carries: known everywhere."""
    for path, numbers, _ in declared({"lights": source.lights, "carries": source.carries}, (where,)):
        unknown = int(np.sum(~np.isfinite(np.asarray(numbers)))) if np.ndim(numbers) else 0
        if unknown:
            raise InputError(
                f"{'.'.join(path)}: expected finite numbers, found {unknown} of {np.size(numbers)} that are not; fill "
                "them, with 0 where a picture is dark."
            )


def _check_pictures(where: str, source: Source) -> None:
    """They lie on the sky, not among what is on a disc."""
    for name, light in source.lights.items():
        inner = [part for part in nodes(light) if part is not light and is_on_sky(part)]
        if inner:
            raise InputError(
                f"{where}.lights.{name}: expected a picture by itself, found a {type(inner[0]).__name__} within "
                f"{type(light).__name__}, which is on the disc; give it a source of its own, whose light has this name."
            )


def _check_names(label: str, scene: Scene, observation: Any) -> None:
    shown = observation.shown(scene)
    if not shown and observation.subject is not None:
        raise InputError(
            f"Observation '{label}' shows the {observation.subject}, but no source of the scene has it; add it or "
            "rename."
        )
    for name, light in shown:
        source = scene.sources[name]
        if light not in source.lights:
            raise InputError(
                f"Source '{name}' weights a property by its light '{light}', but has only {sorted(source.lights)}; "
                "name one of those."
            )
        for missing in set(observation.properties) - set(source.carries):
            raise InputError(
                f"Observation '{label}' needs '{missing}' of source '{name}', which carries {sorted(source.carries)}; "
                "add it."
            )
    if observation.properties:
        _check_silent(label, scene, shown, observation.properties[0])


def _check_silent(label: str, scene: Scene, shown: list[tuple[str, str]], prop: str) -> None:
    """A light without the property would weigh down a mean that it has no part in."""
    weights, seen = {light for _, light in shown}, dict(shown)
    silent = [name for name, source in scene.sources.items() if name not in seen and set(source.lights) & weights]
    if silent:
        raise InputError(
            f"Source '{min(silent)}' emits the light that weights '{label}' but carries no '{prop}', so that the mean "
            "is not defined there; give it one, or name its light differently if it is not in that map."
        )


def _check_coverage(label: str, observation: Any, scene: Scene, plan: Any) -> None:
    """Every sub-pixel of a used pixel must be traced; others in the blur's reach are left dark."""
    bent = any(np.any(np.asarray(scene.sources[name].distance_ratio) != 0.0) for name, _ in observation.shown(scene))
    if not isinstance(plan, Plan) or not bent:
        return
    sampling, grid = plan.sampling, observation.pixels
    alpha = _deflection(scene.lens, *render.view(grid, sampling))
    uncovered = np.isnan(np.asarray(alpha[0] + alpha[1]))
    lost = _any_in_pixels(uncovered, round(sampling.density), sampling.margin)
    needed = used_somewhere(observation) if observation.bins is None else np.asarray(observation.bins.labels >= 0)
    missing = int(np.sum(lost & needed))
    if missing:
        raise InputError(
            f"The deflection map does not cover {missing} of the {int(np.sum(needed))} fitted pixels of '{label}'; "
            "use a larger map or mask those pixels."
        )


def _any_in_pixels(samples: np.ndarray, density: int, margin: int) -> np.ndarray:
    ny, nx = (n // density for n in samples.shape)
    pixels = samples.reshape(ny, density, nx, density).any(axis=(1, 3))
    return np.asarray(pixels)[margin : ny - margin, margin : nx - margin]


predictions = Program(predict_all)
"""`predict_all` as a program: one for simulations, files and pictures, since none of them asks for many at once."""

# One program, instead of dozens for its single operations.
_deflection = Program(deflection)
