"""What of pixels is settled before sampling: sample grid, lens, lights, blur."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxmetal import render
from jaxmetal.instrument.pixels import transfer
from jaxmetal.instrument.psf import PSF
from jaxmetal.instrument.sampling import Sampling, choose, core_sizes, resolved
from jaxmetal.machine import Program, program
from jaxmetal.numerics.fourier import block_sum
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.profile import is_as_seen, is_kinked, is_on_sky, overhang, smallest_scale
from jaxmetal.observation.averaged import averaged, can_be_averaged
from jaxmetal.observation.contract import Numbers
from jaxmetal.observation.exposure import blurred_light
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.psf_form import psf_form
from jaxmetal.observation.sharpen import sharpened, with_lights
from jaxmetal.observation.tracing import restricted
from jaxmetal.prior import is_fixed
from jaxmetal.scene import Scene, Source, deflection

SHARPER = 1.35
"""A property of up to a dex is averaged as 10^P, whose details are that much narrower than those of P."""


def plan_pixels(
    observation: Any, scene: Scene, now: Numbers, asked: Sampling | Mapping[str, int] | None = None
) -> Plan:
    """The plan of an observation that shows lights in pixels under one PSF; see `Observation.plan`."""
    psf = now.observation.psf
    plan = settled(observation, scene, now, sampling_of(observation, scene, now, psf, asked))
    if not is_fixed(observation.psf):
        return plan
    plan = dataclasses.replace(plan, transfer=transfer_of(psf, now.observation.pixels, plan.sampling))
    if len(plan.fluxes) < len(observation.shown(scene)):
        return plan
    return dataclasses.replace(plan, light=_light(now.observation, with_lights(now.scene, plan.lights), plan))


def sampling_of(
    observation: Any, scene: Scene, now: Numbers, psf: PSF, asked: Sampling | Mapping[str, int] | None = None
) -> Sampling:
    """How finely what an observation shows is sampled under one of its PSFs.

    Args:
        observation: with or without free parameters.
        scene: prior.
        now: both with typical numbers.
        psf: every leaf a number.
        asked: see `Observation.plan`.
    """
    if isinstance(asked, Sampling):
        return _with_cells(asked, now, psf)
    smooth, reached = _smooth(scene, observation.shown(scene)), _reached(scene, observation, now.observation.pixels)
    return _changed(_default(now, psf, smooth, reached), asked or {})


def settled(observation: Any, scene: Scene, now: Numbers, sampling: Sampling) -> Plan:
    """The plan of what an observation shows on a sample grid, whatever blurs it."""
    shown, grid = observation.shown(scene), now.observation.pixels
    lights = sharpened(shown, scene, now.scene)
    sharp = with_lights(now.scene, lights)
    sampled = averaged(shown, scene, sharp, grid, sampling.density)
    drawn = with_lights(sharp, sampled)
    still = [(name, light) for name, light in shown if _settled(scene, name, light, observation)]
    return Plan(
        sampling=sampling,
        lens=restricted(scene.lens, now.scene.lens, render.view(grid, sampling), sampling.refinement is not None)
        if scene.lens and is_fixed(observation.pointing)
        else None,
        lights=lights,
        averaged=sampled,
        fluxes={f"{name}.{light}": _fixed_flux(drawn, name, light, grid, sampling) for name, light in still},
    )


def _with_cells(asked: Sampling, now: Numbers, psf: PSF) -> Sampling:
    """Sampled as asked; the cells of a kernel are its own."""
    cells = psf_form(psf).cells_per_pixel(np.asarray(now.observation.pixels.steps))
    return asked if cells is None else dataclasses.replace(asked, cells=cells)


def default_sampling(scene: Scene, observation: Any) -> Sampling:
    """The automatic sample grid of an observation (see `instrument.sampling.choose`); every leaf a number."""
    reached = _reached(scene, observation, observation.pixels)
    return _default(Numbers(observation, scene), observation.psf, _smooth(scene, observation.shown(scene)), reached)


def _smooth(scene: Scene, shown: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The lights that are averaged over samples, however these lie."""
    return tuple(one for one in shown if can_be_averaged(scene, *one))


def _reached(scene: Scene, observation: Any, grid: Grid) -> float:
    """By how many pixels what an observation shows reaches beyond its frame; infinity if it may move against it."""
    lights = [scene.sources[name].lights[light] for name, light in observation.shown(scene)]
    return max(overhang(light, grid) for light in lights) if is_fixed([lights, observation.pointing]) else np.inf


def _changed(usual: Sampling, counts: Mapping[str, Any]) -> Sampling:
    """With what is asked for instead; cells within pixels, and kernels of them, leave no stride over several."""
    usual = dataclasses.replace(usual, stride=1) if {"oversampling", "route"} & set(counts) else usual
    return dataclasses.replace(usual, **counts)


def _default(now: Numbers, psf: PSF, smooth: tuple[tuple[str, str], ...], reached: float) -> Sampling:
    """The automatic one; lights that are smooth need none.

    No light lies further than `reached` pixels beyond the frame.
    """
    scene, observation = now.scene, now.observation
    pixel = float(observation.pixels.pixel_area) ** 0.5
    formed = psf_form(psf)
    lights = [light for source in scene.sources.values() for light in source.lights.values()]
    carried = [one.profile for source in scene.sources.values() for one in source.carries.values()]
    cells = formed.cells_per_pixel(np.asarray(observation.pixels.steps))
    fwhm = formed.peak_width() / pixel
    scales = [jax.tree.map(np.asarray, _scales(scene, pixel * resolved(size), smooth)) for size in core_sizes(fwhm)]
    finest, afar = (float(min(found, default=np.inf)) / pixel for found in scales)
    return choose(
        fwhm=fwhm,
        reach=min(formed.reach() / pixel, reached),
        finest=finest,
        afar=afar,
        kinked=any(is_kinked(profile) for profile in (*lights, *carried)),
        pictured=bool(smooth) and bool(observation.properties),
        lensed=bool(scene.lens),
        sigmas=formed.sigmas(observation.pixels.steps),
        coarse=not any(is_on_sky(light) for light in lights),
        cells=cells,
    )


@program(static_argnames="smooth")
def _scales(scene: Scene, core: float, smooth: tuple[tuple[str, str], ...]) -> list[Any]:
    """The smallest scales of all lights and carried profiles outside the cores of lights, along minor axes, arcsec."""
    scales = [
        smallest_scale(light) if is_on_sky(light) else smallest_scale(light, core) * source.frame.axis_ratio
        for name, source in scene.sources.items()
        for key, light in source.lights.items()
        if (name, key) not in smooth
    ]
    for source in scene.sources.values():
        for carried in source.carries.values():
            frame = source.frame if carried.frame is None else carried.frame
            centre = core if carried.frame is None else 0.0
            scales.append(smallest_scale(carried.profile, centre) * frame.axis_ratio / SHARPER)
    return scales


def _settled(scene: Scene, name: str, light: str, observation: Any) -> bool:
    """Whether nothing free changes where, or how bright, a light is seen; a picture as seen has no frame, no lens."""
    source = scene.sources[name]
    profile = source.lights[light]
    geometry: list[Any] = [None if is_on_sky(profile) else source.frame]
    geometry += [] if is_as_seen(profile) else [scene.lens, source.distance_ratio]
    return is_fixed([profile, observation.pointing, *geometry])


def _fixed_flux(scene: Scene, name: str, light: str, grid: Grid, sampling: Sampling) -> Any:
    """Flux per sample cell of a light that never changes; a finely sampled picture is integrated over each cell."""
    source = scene.sources[name]
    finer = 1
    if scene.lens and is_on_sky(source.lights[light]) and not is_as_seen(source.lights[light]):
        cell = float(grid.pixel_area) ** 0.5 / sampling.density
        finer = max(1, int(np.ceil(cell / float(smallest_scale(source.lights[light])))))
    fine = dataclasses.replace(sampling, subsamples=sampling.subsamples * finer)
    return _flux(scene, source, light, grid, fine, finer)


@program(static_argnames=("light", "sampling", "finer"))
def _flux(scene: Scene, source: Source, light: str, grid: Grid, sampling: Sampling, finer: int) -> jax.Array:
    alpha = deflection(scene.lens, *render.view(grid, sampling))
    return block_sum(render.grid_flux(scene, source, light, grid, sampling, alpha), (finer, finer))


# One program each, instead of dozens for their single operations.
_light = Program(blurred_light)
transfer_of = Program(transfer, static_argnames="sampling")
