"""What observations through a telescope share: lights sampled and blurred in pixels, residuals, fewer sizes."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal import render
from jaxmetal.instrument.pixels import transfer
from jaxmetal.likelihood.contract import PER_DATUM, measured
from jaxmetal.numerics.lengths import longer
from jaxmetal.numerics.refine import Cells
from jaxmetal.numerics.strips import in_strips
from jaxmetal.numerics.tree import parts
from jaxmetal.observation.contract import Prediction
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.sharpen import with_lights
from jaxmetal.observation.tracing import OnSamples
from jaxmetal.prior import is_site
from jaxmetal.scene import Position, Scene, deflection

NOISE = "noise"
"""Room of what is of data; correlations, say, are of lags."""


def layers(observation: Any, scene: Scene, plan: Plan, properties: tuple[str, ...] = ()) -> list[render.Layer]:
    """The lights that an observation shows, sampled, with the carried properties that are asked for."""
    grid, scene = observation.pixels, with_lights(scene, {**plan.lights, **plan.averaged})
    rays = render.Rays(partial(_deflection, scene, plan.lens), partial(_deflection_between, scene, plan.lens))
    shown = [
        (scene.sources[name], light, plan.fluxes.get(f"{name}.{light}")) for name, light in observation.shown(scene)
    ]
    return render.sample(scene, shown, properties, grid, plan.sampling, rays)


def imager(observation: Any, plan: Plan) -> render.Imager:
    """The blur of an observation with one PSF: from samples to pixels."""
    known = plan.transfer
    if known is None:
        known = transfer(observation.psf, observation.pixels, plan.sampling)
    return known.image


def blurred_light(observation: Any, scene: Scene, plan: Plan) -> jax.Array:
    """O[L] of all lights that an observation shows: flux per pixel, shape (ny, nx)."""
    if plan.light is not None:
        return plan.light
    return render.expose(layers(observation, scene, plan), imager(observation, plan), render.light_alone)[0]


def residual(observation: Any, seen: Prediction) -> jax.Array:
    """(data - their mean) / sigma by the noise of the data, NaN where not used or limits; shape of the data."""
    mean, sigma = observation.noise.mean(*seen), observation.noise.standard_deviation(*seen)
    return jnp.where(measured(observation.noise, observation.used), (observation.data - mean) / sigma, jnp.nan)


def padded(observation: Any, stamps: tuple[str, ...] = ("data", "noise", "used")) -> Any:
    """An observation with `grid`, its stamp and the number of its bins brought to one of few sizes; padding is unused.

    `stamps` are its fields with arrays of the data's shape. As it is where its noise knows its pixels otherwise than by
    their place in maps of that shape, or has arrays that are not declared as numbers of single data (`parameter`, or
    `likelihood.contract.PER_DATUM`).
    """
    shape, data, bins = observation.shape, np.shape(observation.data), observation.bins
    wide = tuple(longer(n) for n in shape)
    full = (*data[:-2], *wide) if bins is None else (*data[:-1], longer(data[-1]))
    if not _simple(observation.noise, data):
        return observation
    changes = {
        name: jax.tree.map(lambda leaf: _grown(leaf, data, full), getattr(observation, name), is_leaf=is_site)
        for name in stamps
    }
    if bins is not None:
        changes["bins"] = dataclasses.replace(bins, labels=_grown(bins.labels, shape, wide), n=full[-1])
    return dataclasses.replace(observation, grid=dataclasses.replace(observation.grid, shape=wide), **changes)


def _deflection(scene: Scene, settled: OnSamples | None, theta: Position) -> Any:
    if not scene.lens:
        return 0.0, 0.0

    def bent(lens: Any, places: Any) -> Any:
        settled, theta = places
        return jnp.stack(deflection(lens, *theta)) if settled is None else settled.deflection(lens, theta)

    return in_strips(bent, scene.lens, (settled, theta), theta[0].shape)


def _deflection_between(scene: Scene, settled: OnSamples | None, cells: Cells, theta: Position) -> Any:
    if scene.lens and settled is not None:
        return settled.between(scene.lens, cells, theta)
    return deflection(scene.lens, *theta)


def _simple(noise: Any, shape: tuple[int, ...]) -> bool:
    """Whether all arrays of a noise hold a number for each datum, as their fields say: a table may have that shape."""
    for _, value, said in parts(noise):
        if is_site(value) or said.get("static"):
            continue
        if parts(value) and said.get("room", NOISE) == NOISE:
            if not _simple(value, shape):
                return False
            continue
        expected = ((), shape) if "unit" in said or said.get(PER_DATUM) else ((),)
        leaves = jax.tree.leaves(value, is_leaf=is_site)
        if not all(is_site(leaf) or np.shape(leaf) in expected for leaf in leaves):
            return False
    return True


def _grown(leaf: Any, old: tuple[int, ...], new: tuple[int, ...]) -> Any:
    """An array with more rows and columns at its ends: not used, in no bin, of the last known value."""
    if is_site(leaf) or np.shape(leaf) != old or not np.ndim(leaf):
        return leaf
    width = [(0, after - before) for before, after in zip(old, new, strict=True)]
    array = np.asarray(leaf)
    if array.dtype.kind == "f":
        return np.pad(array, width, mode="edge")
    return np.pad(array, width, constant_values=False if array.dtype == bool else -1)
