"""Annuli: pixels grouped by radius."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxmetal.classical.correlated import among
from jaxmetal.edge.columns import used_columns
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import require_errors


@dataclass(frozen=True, kw_only=True, eq=False)
class Annuli:
    """A table of annuli, from the centre outwards, one entry each; annuli without pixels are left out.

    Attributes:
        inner: inner edge, in the unit of the radius given.
        outer: outer edge.
        radius: mean radius of the pixels, weighted by 1 / sigma^2 as `mean` is, so that a straight line stays one.
        mean: mean value, weighted by 1 / sigma^2.
        error: standard error of `mean`: (sum_ij rho_ij / (sigma_i sigma_j))^(1/2) / sum 1 / sigma^2, which is
            (sum 1 / sigma^2)^(-1/2) where errors are independent.
        median: median value, unweighted.
        low: 16th percentile of the values, unweighted.
        high: 84th percentile.
        count: number of pixels.
    """

    inner: np.ndarray
    outer: np.ndarray
    radius: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


def annuli(
    radius: np.ndarray,
    value: np.ndarray,
    sigma: np.ndarray,
    *,
    width: float | None = None,
    number: int | None = None,
    count: int | None = None,
    signal_to_noise: float | None = None,
    signal: np.ndarray | None = None,
    noise: np.ndarray | None = None,
    used: np.ndarray | None = None,
    correlation: np.ndarray | None = None,
) -> Annuli:
    """Groups pixels into annuli; exactly one of `width`, `number`, `count` and `signal_to_noise` says how.

    Args:
        radius: radius of every pixel, >= 0, shape (n,).
        value: value of every pixel.
        sigma: its standard deviation, > 0; infinite where there is no datum (an inverse variance of 0).
        width: width of all annuli, in the unit of `radius`.
        number: number of annuli of equal width between 0 and the largest used radius.
        count: number of pixels in every annulus; a remainder joins the outermost.
        signal_to_noise: annuli grow outwards until sum(signal) / sqrt(sum(noise^2)) reaches this; outer pixels
            that no longer reach it together are left out, as joining them would push the outermost below it.
        signal: flux of every pixel, for `signal_to_noise`.
        noise: standard deviation of `signal`, > 0.
        used: boolean, True for the pixels to use; all by default.
        correlation: of the errors between all pixels, shape (n, n) (`likelihood.correlation_matrix`); they are
            independent by default.

    Raises:
        InputError: when shapes differ, used numbers are not finite, a radius is negative, a sigma or noise is not
            positive, not exactly one way to group is given, or it makes no annulus.
    """
    way, amount = _only_way(width=width, number=number, count=count, signal_to_noise=signal_to_noise)
    places = np.arange(np.size(radius), dtype=float)
    r, v, s, kept = used_columns(used, radius=radius, value=value, sigma=sigma, place=places)
    require_errors("sigma", s)
    if r.min() < 0:
        raise InputError(f"radius: expected none below 0, found {r.min():g}; give distances from the centre.")
    order = np.argsort(r, kind="stable")
    r, v, s, kept = r[order], v[order], s[order], kept[order]
    match way:
        case "width":
            group, edges = _equal_widths(r, amount)
        case "number":
            group, edges = _equal_widths(r, r[-1] / amount, last=int(amount) - 1)
        case "count":
            group = _equal_counts(r.size, int(amount))
            edges = _edges_between(r, group)
        case _:
            group = _grown(*_signal(radius, signal, noise, sigma, used, order), amount)
            edges = _edges_between(r, group)
    found = _table(r, v, s, group, edges)
    if correlation is None:
        return found
    return replace(found, error=found.error * _alike(s, group, among(correlation, kept, np.size(radius))))


def _only_way(**ways: float | None) -> tuple[str, float]:
    """Name and amount of the one way to group that was given."""
    given = {name: way for name, way in ways.items() if way is not None}
    if len(given) != 1:
        raise InputError(
            f"annuli: expected exactly one of {', '.join(ways)}, found {', '.join(given) or 'none'}; give one of them."
        )
    name, way = given.popitem()
    whole = name in ("number", "count")
    if not (np.isfinite(way) and way > 0) or (whole and way != int(way)):
        raise InputError(f"{name}: expected a positive {'whole ' if whole else ''}number, found {way}; give one.")
    return name, way


def _equal_widths(radius: np.ndarray, width: float, last: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Annulus of every pixel and the edges of all annuli; pixels on the outermost edge belong to annulus `last`."""
    if radius[-1] == 0:
        raise InputError("radius: expected one above 0, found only 0; annuli need pixels away from the centre.")
    group = np.minimum(np.floor(radius / width).astype(int), last if last is not None else np.iinfo(int).max)
    return group, width * np.arange(group[-1] + 2)


def _equal_counts(size: int, count: int) -> np.ndarray:
    if size < count:
        raise InputError(f"count: expected at most the {size} used pixels, found {count}; ask for fewer per annulus.")
    return np.minimum(np.arange(size) // count, size // count - 1)


def _signal(
    radius: np.ndarray, signal: Any, noise: Any, sigma: Any, used: Any, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Used signal and noise, from the centre outwards."""
    if signal is None or noise is None:
        raise InputError(
            "signal_to_noise: expected the arrays `signal` and `noise` with it, found one or none; give both."
        )
    _, signal, noise, _ = used_columns(used, radius=radius, signal=signal, noise=noise, sigma=sigma)
    require_errors("noise", noise)
    return signal[order], noise[order]


def _grown(signal: np.ndarray, noise: np.ndarray, target: float) -> np.ndarray:
    """Annulus of every pixel when each grows until its signal to noise reaches `target`; the remainder is left out."""
    group = np.zeros(signal.size, dtype=int)
    current, flux, variance = 0, 0.0, 0.0
    for pixel, (gain, error) in enumerate(zip(signal, noise, strict=True)):
        group[pixel] = current
        flux, variance = flux + gain, variance + error**2
        if flux >= target * np.sqrt(variance):
            current, flux, variance = current + 1, 0.0, 0.0
    if current == 0:
        raise InputError(
            f"signal_to_noise: expected at least one annulus to reach {target:g}, found {flux / np.sqrt(variance):.3g} "
            "for all pixels together; ask for less."
        )
    return group[group < current]


def _edges_between(radius: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Edges halfway between neighbours in different annuli, from 0 to halfway to the first pixel left out, if any."""
    first = np.flatnonzero(np.diff(group)) + 1
    beyond = radius[group.size : group.size + 1]
    last = 0.5 * (radius[group.size - 1] + beyond) if beyond.size else radius[-1:]
    return np.concatenate([[0.0], 0.5 * (radius[first - 1] + radius[first]), last])


def _alike(sigma: np.ndarray, group: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """By what the error of each annulus is larger than if its pixels were independent."""
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    return np.array([np.sqrt(w @ correlation[np.ix_(i, i)] @ w / (w @ w)) for i in members for w in [1.0 / sigma[i]]])


def _table(radius: np.ndarray, value: np.ndarray, sigma: np.ndarray, group: np.ndarray, edges: np.ndarray) -> Annuli:
    """Statistics of every annulus that has pixels; pixels beyond the length of `group` are in none."""
    radius, value, sigma = radius[: group.size], value[: group.size], sigma[: group.size]
    present, index, count = np.unique(group, return_inverse=True, return_counts=True)
    weight = sigma**-2.0
    total = np.bincount(index, weight)
    percentiles = np.array([np.percentile(value[index == i], [16.0, 50.0, 84.0]) for i in range(present.size)])
    return Annuli(
        inner=edges[present],
        outer=edges[present + 1],
        radius=np.bincount(index, weight * radius) / total,
        mean=np.bincount(index, weight * value) / total,
        error=total**-0.5,
        median=percentiles[:, 1],
        low=percentiles[:, 0],
        high=percentiles[:, 2],
        count=count,
    )
