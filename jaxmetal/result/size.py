"""How large a galaxy is, and how much smaller things are at the source than they are seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.frame import deprojected_radius
from jaxmetal.machine import Program, program
from jaxmetal.model import SCENE
from jaxmetal.numerics.profile import half_light_radius, is_as_seen, is_averaged, is_on_sky
from jaxmetal.numerics.robust import weighted_median
from jaxmetal.numerics.tree import realised
from jaxmetal.observation import Plan, used_pixels
from jaxmetal.observation.sharpen import with_lights
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill, places
from jaxmetal.result.predicted import traced
from jaxmetal.result.views import View, view
from jaxmetal.scene import Position, Scene, Source, surface_brightness, trace

RINGS = 1024
"""Rings in which the light of a picture is added up."""


def effective_radius(posterior: Posterior | View, source: str, prop: str) -> np.ndarray | None:
    """Half-light radius along the major axis of what carries a property, arcsec: draws if free, else a number, or None.

    The source's own `r_eff` where it is stated; else what the light that weights the property says of itself; of a
    picture the ellipse of the source's frame that holds half of it (see `of_picture`).
    """
    return view(posterior).once(_effective_radius, source, prop)


def _effective_radius(seen: View, source: str, prop: str) -> np.ndarray | None:
    drawn = fill({SCENE: seen.skeleton[SCENE]}, seen.posterior.draws)[SCENE].sources[source]
    light = drawn.carries[prop].weight
    size = half_light_radius(drawn.lights[light]) if drawn.r_eff is None else drawn.r_eff
    if size is None and is_on_sky(drawn.lights[light]) and is_averaged(drawn.lights[light]):
        size = of_picture(seen, source, light)
    return None if size is None else np.asarray(size)


def of_picture(seen: View, source: str, light: str) -> np.ndarray:
    """The deprojected radius within which half of a picture's light lies, arcsec: of every draw if anything is free.

    Pixels count by their light times the area that they have on the source's plane, so that what a lens enlarges counts
    no more than the rest, as they are where the picture states no blur of its own, and sharpened where it does. What
    lies beyond the picture is not known, and a pedestal in it counts as light.
    """
    scene = seen.skeleton[SCENE]
    made = [plan.lights for plan in seen.posterior.plans.values() if isinstance(plan, Plan)]
    sharp = next((lights for lights in made if f"{source}.{light}" in lights), {})
    own = with_lights(scene, sharp).sources[source]
    alone = dataclasses.replace(own, lights={light: own.lights[light]}, carries={}, r_eff=None)
    part = {SCENE: Scene(sources={source: alone}, lens=scene.lens if is_as_seen(own.lights[light]) else {})}
    draws = seen.posterior.draws
    free = {site: draws[site] for site, _ in places(part)}
    flat = {site: values.reshape(-1, *values.shape[2:]) for site, values in free.items()}
    found = np.asarray(_of_picture(part, flat, source, light))
    return found.reshape(next(iter(free.values())).shape[:2]) if free else found[0]


def shrinking(posterior: Posterior | View, name: str, source: str) -> float:
    """Size at the source over size on the sky, 1 / sqrt(median magnification) where a source shines; 1 without a lens.

    The median over the used pixels of an observation, each counted by what the source's lights that the observation
    shows have of surface brightness at its centre, before the PSF: blank sky, of which a field may hold any amount, is
    magnified otherwise, and counts only where there is no light at all.
    """
    return view(posterior).once(_shrinking, name, source)


def _shrinking(seen: View, name: str, source: str) -> float:
    observation = seen.filled[name]
    if not seen.filled[SCENE].lens:
        return 1.0
    beta, used = traced(seen, name, source), used_pixels(observation)
    area, light = np.asarray(_traced_area(*beta))[used], _light(seen, name, source, beta)[used]
    known = np.isfinite(area)
    shines = known & (light > 0.0)
    counted, weight = (shines, light) if shines.any() else (known, np.ones_like(light))
    return float(np.sqrt(weighted_median(area[counted], weight[counted]) / observation.pixels.pixel_area))


def _light(seen: View, name: str, source: str, beta: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Brightness of a source's lights that an observation shows, at the centres of its pixels, which lie at beta."""
    observation, scene = seen.filled[name], seen.filled[SCENE]
    lights = tuple(light for one, light in observation.shown(scene) if one == source)
    found = _brightness(scene.sources[source], lights, observation.pixels.centres(), beta)
    return np.nan_to_num(np.broadcast_to(found, observation.pixels.shape), posinf=0.0)


def _area(x: jax.Array, y: jax.Array) -> jax.Array:
    """Areas of pixels whose centres lie at (x, y), by differences between neighbours."""
    (x_row, x_column), (y_row, y_column) = jnp.gradient(x), jnp.gradient(y)
    return jnp.abs(x_column * y_row - x_row * y_column)


# One program, instead of one for each of its operations.
_traced_area = Program(_area)


@program(static_argnames=("lights",))
def _brightness(source: Source, lights: tuple[str, ...], theta: Position, beta: Position) -> jax.Array:
    return sum((surface_brightness(source, light, theta, beta) for light in lights), start=jnp.zeros(()))


@program(static_argnames=("source", "light"))
def _of_picture(part: Mapping[str, Scene], draws: Mapping[str, jax.Array], source: str, light: str) -> jax.Array:
    def one(values: Mapping[str, jax.Array]) -> jax.Array:
        scene = realised(fill(part, values)[SCENE])
        galaxy, picture = scene.sources[source], scene.sources[source].lights[light]
        x, y = picture.grid.centres()
        seen = x + picture.dx, y + picture.dy
        beta = trace(scene.lens, seen, galaxy.distance_ratio) if is_as_seen(picture) else seen
        away, area = deprojected_radius(galaxy.frame, *beta), _area(*beta)
        known = jnp.isfinite(away) & jnp.isfinite(area)
        return _half(jnp.where(known, away, 0.0), jnp.where(known, jnp.maximum(picture.values, 0.0) * area, 0.0))

    return jax.lax.map(one, draws) if draws else one({})[None]


def _half(away: jax.Array, light: jax.Array) -> jax.Array:
    """The radius within which half of the light lies."""
    last = jnp.max(jnp.where(light > 0.0, away, 0.0))
    ring = jnp.clip((RINGS * away / last).astype(int), 0, RINGS - 1)
    growth = jnp.cumsum(jnp.zeros(RINGS).at[ring].add(light))
    return jnp.interp(0.5 * growth[-1], jnp.append(0.0, growth), jnp.linspace(0.0, last, RINGS + 1))
