"""How far fluctuations of a property reach: its semivariogram and two-point correlation on the disc."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.model import SCENE
from jaxmetal.observation import used_pixels
from jaxmetal.posterior import Posterior
from jaxmetal.prior import fill
from jaxmetal.result.on_source import on_source
from jaxmetal.result.predicted import azimuthal_mean, spaced, traced
from jaxmetal.result.views import View, view
from jaxmetal.scene import Source

RADII = 200
"""Radii at which the azimuthal mean is taken."""


class TwoPoint(NamedTuple):
    """Statistics of pairs of points, by their separation.

    Attributes:
        separation: mean of each bin's pairs on the disc, arcsec, shape (bins,); NaN in a bin without pairs.
        semivariogram: half the mean square difference, in the unit of the property squared, shape (draws, bins).
        correlation: mean product over mean square, shape (draws, bins).
        pairs: in each bin, shape (bins,).
    """

    separation: np.ndarray
    semivariogram: np.ndarray
    correlation: np.ndarray
    pairs: np.ndarray


def two_point(
    posterior: Posterior | View, name: str, source: str, prop: str, edges: np.ndarray, count: int = 100
) -> TwoPoint:
    """Semivariogram and correlation of a property's fluctuations, draw by draw.

        d = P - <P>_azimuth,    gamma(R) = <(d_i - d_j)^2> / 2,    xi(R) = <d_i d_j> / <d^2>

    over pairs of used pixels whose centres are R apart on the disc, without blur: d is what a draw of the scene has
    there (Krumholz & Ting 2018, MNRAS 475, 2236, correlate residuals from radial means likewise). Draws of a `Field`
    have its full scatter where the data say little. Separations are those of the best geometry.

    Args:
        posterior: of a fit, or a view of it.
        name: of the observation whose used pixels are paired.
        source: name of the source.
        prop: name of the property.
        edges: of the bins of separation, arcsec on the disc, ascending.
        count: number of draws.

    Raises:
        InputError: if edges do not ascend, or no two pixels are as far apart as one of the bins.
    """
    seen, edges = view(posterior, observation=name, source=source, prop=prop), floats("edges", edges, "arcsec")
    if edges.ndim != 1 or edges.size < 2 or np.any(np.diff(edges) <= 0.0):
        raise InputError(f"two_point: expected edges of separation that ascend, at least two, found {edges.tolist()}.")
    beta = _used(seen, name, source)
    frame = seen.filled[SCENE].sources[source].frame_of(prop)
    u, v = (np.asarray(x, float) for x in frame.to_plane(*beta))
    first, second = np.triu_indices(u.size, 1)
    apart = np.hypot(u[first] - u[second], v[first] - v[second])
    which = np.digitize(apart, edges) - 1
    inside = (which >= 0) & (which < edges.size - 1)
    if not inside.any():
        raise InputError(
            f"two_point: expected pairs of pixels {edges[0]:g} to {edges[-1]:g} arcsec apart, found separations of "
            f"{apart.min(initial=np.inf):g} to {apart.max(initial=0.0):g}; choose other edges."
        )
    first, second, which = first[inside], second[inside], which[inside]
    pairs = np.bincount(which, minlength=edges.size - 1)
    with np.errstate(invalid="ignore", divide="ignore"):

        def binned(values: np.ndarray) -> np.ndarray:
            return np.bincount(which, weights=values, minlength=pairs.size) / pairs

        rows = []
        for values in spaced(seen.posterior, count):
            d = _fluctuation(fill(seen.skeleton[SCENE].sources[source], values), prop, beta)
            product = binned(d[first] * d[second]) / np.mean(d**2)
            rows.append((0.5 * binned((d[first] - d[second]) ** 2), product))
        gamma, xi = (np.stack(part) for part in zip(*rows, strict=True))
        return TwoPoint(binned(apart[inside]), gamma, xi, pairs)


def _used(seen: View, name: str, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the used pixels of an observation lie on the source's plane."""
    x, y = traced(seen, name, source)
    good = used_pixels(seen.filled[name]) & np.isfinite(x + y)
    return x[good], y[good]


def _fluctuation(source: Source, prop: str, beta: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The property at some positions, less its azimuthal mean at their radii."""
    there = on_source(source, beta)
    radii = np.linspace(0.0, float(there.radii[prop].max()), RADII)
    mean = azimuthal_mean(source.carries[prop].profile, jnp.asarray(radii))
    return np.asarray(there.carried[prop] - np.interp(there.radii[prop], radii, mean))
