"""Maps and profiles from a posterior, computed afterwards, draw by draw: no map is kept per draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import require_count
from jaxmetal.machine import program
from jaxmetal.model import SCENE
from jaxmetal.numerics.lengths import longer
from jaxmetal.numerics.profile import smallest_scale
from jaxmetal.observation import Prediction, used_pixels
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.on_source import OnSource, on_source, traced_by
from jaxmetal.result.parameters import QUANTILES, quantiles
from jaxmetal.result.views import View, view

FEWEST, MOST = 24, 640
"""Angles at which a profile is averaged over azimuth."""


class Summarised(NamedTuple):
    """Mean and standard deviation over draws of a predicted observation (value and light as in `Prediction`).

    Without draws the prediction at the best values, whose standard deviation is not known: NaN.
    """

    mean: np.ndarray
    sd: np.ndarray
    light: np.ndarray


def best_prediction(posterior: Posterior | View, name: str) -> Prediction:
    """The noise-free prediction of one observation at the MAP."""
    return view(posterior, observation=name).predictions[name]


def predictive(posterior: Posterior | View, name: str, count: int = 96) -> Summarised:
    """Posterior-predictive map (without noise) of one observation from `count` evenly spaced draws."""
    return view(posterior, observation=name).once(_predictive, count)[name]


def predictive_residual(posterior: Posterior | View, name: str, count: int = 96) -> np.ndarray:
    """Data less the mean of `predictive`, in standard deviations of the data; NaN where unused, or limits."""
    seen = view(posterior, observation=name)
    drawn = predictive(seen, name, count)
    return np.asarray(_residual(seen.filled[name], Prediction(jnp.asarray(drawn.mean), jnp.asarray(drawn.light))))


def _predictive(seen: View, count: int) -> dict[str, Summarised]:
    """Of all observations, since they are predicted together."""
    sums: Any = None
    drawn = spaced(seen.posterior, count)
    for values in drawn:
        found = {
            name: (np.asarray(one.value, float), np.square(one.value, dtype=float), np.asarray(one.light, float))
            for name, one in seen.predicted(values).items()
        }
        sums = found if sums is None else jax.tree.map(np.add, sums, found)
    known = 1.0 if seen.posterior.sampled else np.nan
    return {name: _summarised(known, *(part / len(drawn) for part in parts)) for name, parts in sums.items()}


def _summarised(known: float, mean: np.ndarray, square: np.ndarray, light: np.ndarray) -> Summarised:
    return Summarised(mean, known * np.sqrt(np.maximum(square - mean**2, 0.0)), light)


def profile(posterior: Posterior | View, source: str, prop: str, radii: np.ndarray, count: int = 400) -> np.ndarray:
    """Quantiles of the intrinsic profile P(R), the mean over azimuth at each deprojected radius.

    Args:
        posterior: of a fit, or a view of it.
        source: name of the source.
        prop: name of the property.
        radii: deprojected (semi-major-axis) radii, arcsec.
        count: number of draws.

    Returns:
        shape (len(QUANTILES), len(radii)); NaN without draws.
    """
    seen = view(posterior, source=source, prop=prop)
    prior = seen.skeleton[SCENE].sources[source].carries[prop].profile
    drawn = [azimuthal_mean(fill(prior, values), radii) for values in spaced(seen.posterior, count)]
    return quantiles(np.asarray(drawn), list(QUANTILES.values()), axis=0)


def azimuthal_mean(profile: Any, radii: Any) -> np.ndarray:
    """The mean of a profile over azimuth at each deprojected radius (arcsec), shape (len(radii),).

    At 24 angles, or more where its smallest waves go round more often at the largest radius.
    """
    radii = np.asarray(radii)
    waves = float(np.max(radii)) / float(smallest_scale(profile, np.max(radii)))
    angles = np.linspace(0.0, 2.0 * np.pi, longer(int(min(max(FEWEST, 3.0 * waves), MOST))), endpoint=False)
    return np.asarray(_azimuthal_mean(profile, radii, angles))


def intrinsic_map(posterior: Posterior | View, name: str, source: str, prop: str) -> np.ndarray:
    """The property before blending, at the traced centre of each pixel of an observation, at the MAP."""
    return (
        view(posterior, observation=name, source=source, prop=prop).once(_pixels_on_source, name, source).carried[prop]
    )


def radius_map(posterior: Posterior | View, name: str, source: str, prop: str | None = None) -> np.ndarray:
    """Deprojected source-plane radius of each pixel's centre, arcsec, at the MAP; NaN beyond the deflection map.

    In the frame of the source; with `prop` in the one in which that property is told, its own where it has one.
    """
    found = view(posterior, observation=name, source=source, prop=prop).once(_pixels_on_source, name, source)
    return found.radius if prop is None else found.radii[prop]


def traced(posterior: Posterior | View, name: str, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the centres of an observation's pixels lie on a source's plane at the MAP, arcsec; NaN beyond the map."""
    return view(posterior, observation=name, source=source).once(_traced, name, source)


def footprints(posterior: Posterior | View, name: str, source: str) -> np.ndarray:
    """Corners of an observation's used pixels on a source's plane at the MAP, in turn, (pixels, 4, 2), arcsec.

    Pixels with a corner beyond the deflection map are left out.
    """
    return view(posterior, observation=name, source=source).once(_footprints, name, source)


def _footprints(seen: View, name: str, source: str) -> np.ndarray:
    scene, observation = seen.filled[SCENE], seen.filled[name]
    (ny, nx), grid = observation.pixels.shape, observation.pixels
    theta = grid.to_sky(np.arange(nx + 1.0)[None, :] - 0.5, np.arange(ny + 1.0)[:, None] - 0.5)
    corners = np.stack(traced_by(scene.lens, theta, scene.sources[source].distance_ratio), axis=-1)
    ring = [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]]
    found = np.stack(ring, axis=2)[used_pixels(observation)]
    return found[np.isfinite(found).all(axis=(1, 2))]


def _pixels_on_source(seen: View, name: str, source: str) -> OnSource:
    return on_source(seen.filled[SCENE].sources[source], traced(seen, name, source))


def _traced(seen: View, name: str, source: str) -> tuple[np.ndarray, np.ndarray]:
    scene, theta = seen.filled[SCENE], seen.filled[name].pixels.centres()
    return jax.tree.map(np.asarray, traced_by(scene.lens, theta, scene.sources[source].distance_ratio))


def evenly(draws: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Places of at most `count` evenly spaced draws, none twice.

    Raises:
        InputError: if `count` is not 1 or more.
    """
    require_count("count", count, 1)
    total = len(next(iter(draws.values())))
    return np.linspace(0, total - 1, min(count, max(total, 1))).round().astype(int)


def spaced(posterior: Posterior, count: int) -> list[dict[str, np.ndarray]]:
    """Evenly spaced draws."""
    flat = posterior.flat()
    index = evenly(flat, count)
    return [{name: values[i] for name, values in flat.items()} for i in index]


@program()
def _residual(observation: Any, seen: Prediction) -> jax.Array:
    return observation.residual(seen)


@program()
def _azimuthal_mean(profile: Any, radii: jax.Array, angles: jax.Array) -> jax.Array:
    return jnp.mean(profile(radii[:, None] * jnp.cos(angles), radii[:, None] * jnp.sin(angles)), axis=1)
