"""The stage between trees and jit: settles what must be concrete and computes once what no free parameter changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal import render
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import require_within
from jaxmetal.instrument import psf as psfs
from jaxmetal.instrument.sampling import Sampling, choose
from jaxmetal.instrument.transfer import transfer
from jaxmetal.numerics.fourier import block_sum
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import Image, Plan, blur_of, blurred_light, own_psf, registered
from jaxmetal.prior import is_fixed, surely_equal, typical
from jaxmetal.scene import Scene, Source
from jaxmetal.tracer import Constant, Exponential, Gradient

SLOW = (Constant, Gradient, Exponential)
"""Carried profiles that change as slowly as the light; others may hold details of any size."""


def prepare(
    scene: Scene, observations: Mapping[str, Any], sampling: Mapping[str, Sampling] | None = None
) -> dict[str, Plan]:
    """Plans the prediction of each observation.

    Args:
        scene: a model or a prior.
        observations: name -> `Image` or `WeightedMap`, with or without free parameters.
        sampling: name -> sample grid, where the automatic choice is not wanted.

    Returns:
        name -> Plan: static integers and arrays, the same for every value of the free parameters.

    Raises:
        InputError: if a fixed number lies outside the range of its parameter, a name in the scene does not match, or a
            deflection map does not cover the data.
    """
    require_within({"scene": scene, **observations})
    chosen = sampling or {}
    plans = {name: _plan(name, scene, observation, chosen.get(name)) for name, observation in observations.items()}
    return {
        name: dataclasses.replace(plan, shares=_donor(name, scene, observations, plans)) for name, plan in plans.items()
    }


def _donor(name: str, scene: Scene, observations: Mapping[str, Any], plans: Mapping[str, Plan]) -> str | None:
    """The image, if any, that sees the light of a map with the same pixels, blur and sample grid."""
    if isinstance(observations[name], Image) or plans[name].light is not None:
        return None

    def seeing(label: str) -> Any:
        observation = observations[label]
        return observation.grid, observation.psf, observation.dx, observation.dy

    images = [
        label
        for label, other in observations.items()
        if isinstance(other, Image)
        and other.shown(scene) == observations[name].shown(scene)
        and plans[label].sampling == plans[name].sampling
        and surely_equal(seeing(label), seeing(name))
    ]
    return images[0] if images else None


def _plan(label: str, scene: Scene, observation: Any, sampling: Sampling | None) -> Plan:
    _check_names(label, scene, observation)
    # As NumPy: arithmetic on concrete numbers compiles nothing.
    scene_now, observation_now = jax.tree.map(np.asarray, (typical(scene), typical(observation)))
    shown = observation.shown(scene)
    if sampling is None:
        sampling = default_sampling(scene_now, observation_now)
    grid = registered(observation_now)
    still = is_fixed([scene.lens, observation.dx, observation.dy])
    beta = render.traced(scene_now, grid, sampling) if scene.lens else None
    if beta is not None:
        _check_coverage(label, beta, observation_now, sampling)
    fluxes = {
        f"{name}.{light}": _fixed_flux(scene_now, name, light, grid, sampling)
        for name, light in shown
        if _settled(scene, name, light, observation)
    }
    transfers = {}
    keys = {"" if own_psf(scene.sources[name].lights[light]) is None else f"{name}.{light}" for name, light in shown}
    for key in keys:
        if key:
            name, light = key.split(".", 1)
            psfs.difference(observation_now.psf, own_psf(scene_now.sources[name].lights[light]))
        if is_fixed([observation.psf, key and own_psf(scene.sources[name].lights[light])]):
            transfers[key] = _transfer(blur_of(key, observation_now, scene_now), observation_now.grid, sampling)
    plan = Plan(sampling=sampling, beta=beta if still else None, fluxes=fluxes, transfers=transfers)
    settled = len(fluxes) == len(shown) and len(transfers) == len(keys)
    if isinstance(observation, Image) or not settled:
        return plan
    return dataclasses.replace(plan, light=_light(observation_now, scene_now, plan))


def default_sampling(scene: Scene, observation: Any) -> Sampling:
    """The automatic sample grid of an observation (see `instrument.sampling.choose`)."""
    pixel = float(observation.grid.pixel_area) ** 0.5
    psf, minor_sizes = jax.tree.map(np.asarray, _measure(scene, observation.psf))
    kernel = None
    if not hasattr(psf, "mixture"):
        kernel = round(pixel / float(psf.step))
        if kernel < 1 or abs(kernel * float(psf.step) / pixel - 1.0) > 0.01:
            raise InputError(
                f"The PSF kernel's cells ({float(psf.step):.4g} arcsec) must divide the pixel "
                f"({pixel:.4g} arcsec) a whole number of times; resample the kernel."
            )
    lights = [light for source in scene.sources.values() for light in source.lights.values()]
    carried = [carried.profile for source in scene.sources.values() for carried in source.carries.values()]
    return choose(
        fwhm=psfs.peak_width(psf) / pixel,
        reach=min(psfs.reach(psf) / pixel, max(_overhang(light, observation.grid) for light in lights)),
        minor_size=min(minor_sizes, default=np.inf) / pixel,
        lensed=bool(scene.lens),
        components=1 if kernel else len(psf.weights),
        coarse=all(hasattr(light, "r_eff") for light in lights) and all(isinstance(p, SLOW) for p in carried),
        kernel_oversampling=kernel,
    )


@jax.jit
def _measure(scene: Scene, psf: Any) -> tuple[Any, list[jax.Array]]:
    """The PSF as Gaussians (or as it is), and the half-light radii of all lights along their minor axes, arcsec."""
    sizes = [
        light.r_eff * source.frame.axis_ratio
        for source in scene.sources.values()
        for light in source.lights.values()
        if hasattr(light, "r_eff")
    ]
    if not hasattr(psf, "mixture"):
        return psf, sizes
    weights, variances = psf.mixture()
    return psfs.Mixture(weights=weights, variances=variances), sizes


def _settled(scene: Scene, name: str, light: str, observation: Any) -> bool:
    """Whether nothing free changes where, or how bright, a light is seen; a picture as seen has no frame, no lens."""
    source = scene.sources[name]
    profile = source.lights[light]
    on_sky = getattr(profile, "on_sky", False)
    as_seen = on_sky and profile.plane == "image"
    geometry = [None if on_sky else source.frame, None if as_seen else scene.lens]
    return is_fixed([profile, observation.dx, observation.dy, *geometry])


def _overhang(light: Any, grid: Grid) -> float:
    """By how many pixels a picture in the image plane reaches beyond the frame; other lights have no end."""
    if not hasattr(light, "grid") or light.plane != "image" or not is_fixed([light.dx, light.dy]):
        return np.inf
    ny, nx = light.grid.shape
    corners = light.grid.to_sky(np.array([-1.0, nx, -1.0, nx]), np.array([-1.0, -1.0, ny, ny]))
    column, row = grid.to_pixel(*corners)
    beyond = [-column, column - (grid.shape[1] - 1), -row, row - (grid.shape[0] - 1)]
    return max(1.0, float(max(np.max(b) for b in beyond)))


def _fixed_flux(scene: Scene, name: str, light: str, grid: Any, sampling: Sampling) -> Any:
    """Flux per sample cell of a light that never changes; a finely sampled picture is integrated over each cell."""
    source = scene.sources[name]
    profile = source.lights[light]
    finer = 1
    if hasattr(profile, "grid"):
        cell = float(grid.pixel_area) ** 0.5 / sampling.density
        finer = max(1, int(np.ceil(cell / float(profile.grid.pixel_area) ** 0.5)))
    fine = dataclasses.replace(sampling, subsamples=sampling.subsamples * finer)
    return _flux(scene, source, light, grid, fine, finer)


@partial(jax.jit, static_argnames=("light", "sampling", "finer"))
def _flux(scene: Scene, source: Source, light: str, grid: Grid, sampling: Sampling, finer: int) -> jax.Array:
    beta = render.traced(scene, grid, sampling)
    return block_sum(render.grid_flux(scene, source, light, grid, sampling, beta), finer)


# One program each, instead of dozens for their single operations.
_light = jax.jit(blurred_light)
_transfer = jax.jit(transfer, static_argnames="sampling")


def _check_names(label: str, scene: Scene, observation: Any) -> None:
    shown = observation.shown(scene)
    if not shown:
        wanted = (
            f"light '{observation.light}'"
            if isinstance(observation, Image)
            else f"property '{observation.properties[0]}'"
        )
        raise InputError(
            f"Observation '{label}' shows the {wanted}, but no source of the scene has it; add it or rename."
        )
    for name, light in shown:
        source = scene.sources[name]
        if light not in source.lights:
            raise InputError(
                f"Source '{name}' weights a property by its light '{light}', but has only {sorted(source.lights)}; "
                "name one of those."
            )
        for missing in set(getattr(observation, "properties", ())) - set(source.carries):
            raise InputError(
                f"Observation '{label}' needs '{missing}' of source '{name}', which carries {sorted(source.carries)}; "
                "add it."
            )
    silent = {
        name
        for name, source in scene.sources.items()
        if not isinstance(observation, Image)
        and (name not in dict(shown))
        and set(source.lights) & {light for _, light in shown}
    }
    if silent:
        raise InputError(
            f"Source '{min(silent)}' shines in the light that weights '{label}' "
            f"but carries no '{observation.properties[0]}'; give it one, "
            "or name its light differently if it is not in that map."
        )


def _check_coverage(label: str, beta: Any, observation: Any, sampling: Sampling) -> None:
    """Every sub-pixel of a used pixel must be traced; others in the blur's reach are left dark."""
    uncovered = block_sum((~jnp.isfinite(beta[0] + beta[1])).astype(int), round(sampling.density))
    rows, columns = (slice(sampling.margin, sampling.margin + n) for n in observation.grid.shape)
    lost = uncovered[rows, columns] > 0
    needed = observation.used if observation.bins is None else observation.bins.labels >= 0
    missing = int(jnp.sum(lost & needed))
    if missing:
        raise InputError(
            f"The deflection map does not cover {missing} of the {int(jnp.sum(needed))} fitted pixels of '{label}'; "
            "use a larger map or mask those pixels."
        )
