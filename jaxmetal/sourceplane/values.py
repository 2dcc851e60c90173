"""One metallicity for each annulus, in the ways that papers take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxmetal.fluxmaps.judge import UNINFORMED
from jaxmetal.sourceplane.stacks import Stacks
from jaxmetal.spaxel import posterior
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.shared import by_ratio

RESAMPLED = 16
"""Bootstraps of the measurements behind each annulus."""
SINGLE = 1e-6
"""By how much the number of measurements of an annulus exceeds 1, at most, where there is one alone."""
CHUNK = 128
"""Spectra per call: annuli and their bootstraps are few, and each number of spectra is a program of its own."""
How = Literal["fluxes", "ratios", "metallicity"]


class Values(NamedTuple):
    """Of annuli, arrays of shape (annuli,), dex.

    Attributes:
        z: 12 + log(O/H).
        own: its error from the pixels' errors.
        shared: ratio -> by how much Z moves if the gas of the galaxy departs from the calibration by its scatter.
        scatter: error of the mean, from how much the pixels differ.
    """

    z: np.ndarray
    own: np.ndarray
    shared: dict[str, np.ndarray]
    scatter: np.ndarray


def by_fluxes(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """Of the summed fluxes; the scatter is that of sums over measurements drawn again with replacement."""
    flux, sigma = held.sums()
    operator, random = held.operator, np.random.default_rng(seed)
    drawn = [operator.multiply(_times(operator, random)) @ held.flux for _ in range(RESAMPLED)]
    return _with_scatter(likelihood, flux, sigma, drawn, operator, held.spaxels, seed)


def by_ratios(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """Of the mean ratios of the source pixels to one line, as fluxes of that line's sum, through the likelihood.

    With m_k = sum_i w_i F_ik / F_i0, what the errors of line k alone do to it is sum_i w_i dF_ik / F_i0, and the noise
    of the reference, sum_i w_i r_ik dF_i0 / F_i0, moves all ratios together. The likelihood gets each line, the
    reference among them, with its own part only: as of any fluxes, it is the common line that moves their ratios
    together, and noise of the reference in every line besides would count twice. The scatter is by drawing again, as
    of `by_fluxes`.
    """
    pixels, (total, _) = held.mean @ held.flux, held.sums()
    bright = pixels[:, reference] > 0.0
    shares = csr_array(held.shares.multiply(bright[None, :].astype(float)))
    weight = shares.sum(axis=1)
    scale = np.divide(1.0, weight, out=np.full(weight.size, np.nan), where=weight > 0.0)[:, None]
    base = np.where(bright, pixels[:, reference], 1.0)[:, None]
    ratio = np.where(bright[:, None], pixels / base, 0.0)
    height = total[:, [reference]]
    own = csr_array(csr_array(shares.multiply(1.0 / base.T)) @ held.mean).power(2) @ held.sigma**2
    flux, sigma = height * scale * (shares @ ratio), height * scale * np.sqrt(own)
    parts, random = csr_array(shares @ held.mean), np.random.default_rng(seed)
    rated = [csr_array(csr_array(shares.multiply(ratio[None, :, k])) @ held.mean) for k in range(ratio.shape[1])]
    drawn = []
    for _ in range(RESAMPLED):
        times = _times(parts, random)
        again = parts.multiply(times).sum(axis=1)
        sums = np.stack([one.multiply(times).sum(axis=1) for one in rated], axis=-1)
        drawn.append(height * sums / np.where(again > 0.0, again, np.nan)[:, None])
    return _with_scatter(likelihood, flux, sigma, drawn, parts, held.spaxels, seed)


def by_metallicity(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """The mean metallicity of the source pixels, by their shares; pixels that share a measurement share its error.

    Its error from the scatter is s / sqrt(N - 1), with s^2 = sum w (z - mean)^2 / sum w and N independent measurements.
    What moves all pixels together, a departure of the gas from a calibration, moves their mean as much.
    """
    inside = held.shares.sum(axis=0) > 0.0
    variance = held.mean.power(2) @ held.sigma**2
    pixels = np.where(inside[:, None], held.mean @ held.flux, np.nan)
    found = _posterior(likelihood, pixels, np.sqrt(variance), np.ones(len(pixels)), seed)
    z, error = found["z"], found["z_statistical"]
    known = inside & np.isfinite(z) & np.isfinite(error)
    z, error = np.where(known, z, 0.0), np.where(known, error, 0.0)
    shares = csr_array(held.shares.multiply(known[None, :].astype(float)))
    weight = shares.sum(axis=1)
    scale = np.divide(1.0, weight, out=np.full(weight.size, np.nan), where=weight > 0.0)
    mean = scale * (shares @ z)
    length = np.sqrt(held.mean.power(2).sum(axis=1))
    each = np.divide(error, length, out=np.zeros(error.size), where=length > 0.0)
    by_pixels = scale * np.sqrt(csr_array(csr_array(shares.multiply(each[None, :])) @ held.mean).power(2).sum(axis=1))
    degrees = _count(shares, held.mean) - 1.0
    spread = np.sqrt(np.maximum(scale * (shares @ z**2) - mean**2, 0.0) / np.where(degrees > SINGLE, degrees, np.nan))
    moved = {name: scale * (shares @ np.where(known, one, 0.0)) for name, one in by_ratio(found).items()}
    return Values(mean, by_pixels, moved, spread)


HOW: Mapping[str, Callable[[Likelihood, Stacks, int, int], Values]] = {
    "fluxes": by_fluxes,
    "ratios": by_ratios,
    "metallicity": by_metallicity,
}
"""Name -> what makes the values of annuli."""


def _times(operator: csr_array, random: np.random.Generator) -> csr_array:
    """How often each measurement of an annulus is drawn, when as many as it has are drawn with replacement."""
    times = operator.copy()
    for start, end in zip(times.indptr[:-1], times.indptr[1:], strict=True):
        if end > start:
            times.data[start:end] = random.multinomial(end - start, np.full(end - start, 1.0 / (end - start)))
    return times


def _with_scatter(
    likelihood: Likelihood,
    flux: np.ndarray,
    sigma: np.ndarray,
    drawn: list[np.ndarray],
    operator: csr_array,
    spaxels: np.ndarray,
    seed: int,
) -> Values:
    """Of fluxes, with the scatter of what was drawn again, where there are several measurements to draw from."""
    found = _posterior(likelihood, flux, sigma, spaxels, seed)
    several = np.isfinite(found["z"]) & (np.diff(operator.indptr) > 1)
    scatter = np.full(len(flux), np.nan)
    if several.any():
        fluxes = np.stack([np.where(np.isfinite(flux), one, np.nan)[several] for one in drawn])
        errors, counts = np.broadcast_to(sigma[several], fluxes.shape), np.broadcast_to(spaxels, len(flux))[several]
        scatter[several] = np.std(_posterior(likelihood, fluxes, errors, counts, seed)["z"], axis=0)
    return Values(found["z"], found["z_statistical"], by_ratio(found), scatter)


def _count(shares: csr_array, mean: csr_array) -> np.ndarray:
    """How many independent measurements are behind each annulus: (sum w)^2 / sum w^2, at least 1."""
    weights = csr_array(shares @ mean)
    squares = weights.power(2).sum(axis=1)
    count = np.divide(weights.sum(axis=1) ** 2, squares, out=np.ones(squares.size), where=squares > 0.0)
    return np.maximum(count, 1.0)


def _posterior(likelihood: Likelihood, flux: Any, sigma: Any, spaxels: Any, seed: int) -> dict[str, np.ndarray]:
    """Z and the parts of its error of `spaxel.posterior`, where a line says more than the prior; NaN elsewhere."""
    known = (np.isfinite(flux) & np.isfinite(sigma)).any(axis=-1)
    spaxels = np.broadcast_to(spaxels, known.shape)
    made = posterior(likelihood, flux[known], sigma[known], spaxels=spaxels[known], seed=seed, chunk=CHUNK)
    columns, told = {}, made["information"] >= UNINFORMED
    for name, values in made.items():
        if name in ("z", "z_statistical") or by_ratio({name: None}):
            columns[name] = np.full(known.shape, np.nan)
            columns[name][known] = np.where(told, values, np.nan)
    return columns
