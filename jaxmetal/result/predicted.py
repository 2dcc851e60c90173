"""Maps and profiles from a posterior, computed afterwards and in chunks: no map is kept per draw."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.model import SCENE
from jaxmetal.numerics.radius import radius
from jaxmetal.observation import Plan, Prediction, predict
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.parameters import QUANTILES
from jaxmetal.result.views import View, view
from jaxmetal.scene import carried_value, trace

CHUNK = 16
"""Draws that are predicted in one call."""


class Summarised(NamedTuple):
    """Mean and standard deviation over draws of a predicted observation (value and light as in `Prediction`)."""

    mean: np.ndarray
    sd: np.ndarray
    light: np.ndarray


def best_prediction(posterior: Posterior | View, name: str) -> Prediction:
    """The noise-free prediction of one observation at the MAP."""
    return view(posterior).predictions[name]


def predictive(posterior: Posterior | View, name: str, count: int = 96) -> Summarised:
    """Posterior-predictive map (without noise) of one observation from `count` evenly spaced draws."""
    return view(posterior).once(_predictive, name, count)


def _predictive(seen: View, name: str, count: int) -> Summarised:
    skeleton = {SCENE: seen.skeleton[SCENE], "observation": seen.skeleton[name]}
    total = square = light = np.zeros(())
    done = 0
    for values in _chunks(seen.posterior, count):
        drawn = _predict_filled(skeleton, seen.posterior.plans[name], values)
        total = total + np.sum(drawn.value, axis=0, dtype=float)
        square = square + np.sum(np.square(drawn.value, dtype=float), axis=0)
        light = light + np.sum(drawn.light, axis=0, dtype=float)
        done += len(drawn.value)
    mean = total / done
    return Summarised(mean, np.sqrt(np.maximum(square / done - mean**2, 0.0)), light / done)


def profile(posterior: Posterior | View, source: str, prop: str, radii: np.ndarray, count: int = 400) -> np.ndarray:
    """Quantiles of the intrinsic profile P(R), the mean over azimuth at each deprojected radius.

    Args:
        posterior: of a fit, or a view of it.
        source: name of the source.
        prop: name of the property.
        radii: deprojected (semi-major-axis) radii, arcsec.
        count: number of draws.

    Returns:
        shape (len(QUANTILES), len(radii)).
    """
    seen = view(posterior)
    skeleton, chunks = {SCENE: seen.skeleton[SCENE]}, _chunks(seen.posterior, count)
    drawn = np.concatenate([_profiles(skeleton, values, jnp.asarray(radii), source, prop) for values in chunks])
    return np.quantile(drawn, list(QUANTILES.values()), axis=0)


def azimuthal_mean(profile: Any, radii: Any) -> jax.Array:
    """The mean of a profile over azimuth at each deprojected radius (arcsec), shape (len(radii),)."""
    angles = jnp.linspace(0.0, 2.0 * jnp.pi, 24, endpoint=False)
    return jnp.mean(profile(radii[:, None] * jnp.cos(angles), radii[:, None] * jnp.sin(angles)), axis=1)


def intrinsic_map(posterior: Posterior | View, name: str, source: str, prop: str) -> np.ndarray:
    """The property before blending, at the traced centre of each pixel of an observation, at the MAP."""
    seen = view(posterior)
    return np.asarray(carried_value(seen.filled[SCENE].sources[source], prop, traced(seen, name, source)))


def radius_map(posterior: Posterior | View, name: str, source: str) -> np.ndarray:
    """Deprojected source-plane radius of each pixel's centre, arcsec, at the MAP; NaN beyond the deflection map."""
    return view(posterior).once(_radius_map, name, source)


def traced(posterior: Posterior | View, name: str, source: str) -> tuple[jax.Array, jax.Array]:
    """Where the centres of an observation's pixels lie on a source's plane at the MAP, arcsec; NaN beyond the map."""
    return view(posterior).once(_traced, name, source)


def _radius_map(seen: View, name: str, source: str) -> np.ndarray:
    return np.asarray(radius(*seen.filled[SCENE].sources[source].frame.to_plane(*traced(seen, name, source))))


def _traced(seen: View, name: str, source: str) -> tuple[jax.Array, jax.Array]:
    scene = seen.filled[SCENE]
    return trace(scene.lens, seen.filled[name].pixels.centres(), scene.sources[source].distance_ratio)


def _chunks(posterior: Posterior, count: int) -> list[dict[str, jax.Array]]:
    """Evenly spaced draws in equal chunks, so that one compilation serves all."""
    flat = posterior.flat()
    total = len(next(iter(flat.values())))
    wanted = -(-min(count, max(total, 1)) // CHUNK) * CHUNK
    index = np.linspace(0, total - 1, wanted).round().astype(int)
    return [{n: jnp.asarray(v[part]) for n, v in flat.items()} for part in np.split(index, wanted // CHUNK)]


@jax.jit
def _predict_filled(places: Any, plan: Plan, values: Any) -> Prediction:
    def one(draw: Any) -> Prediction:
        filled = fill(places, draw)
        return predict(filled["observation"], filled[SCENE], plan)

    return jax.lax.map(one, values)


def _profiles(places: Any, values: Any, radii: jax.Array, source: str, prop: str) -> np.ndarray:
    def one(draw: Any) -> jax.Array:
        return azimuthal_mean(fill(places, draw)[SCENE].sources[source].carries[prop].profile, radii)

    return np.asarray(jax.vmap(one)(values))
