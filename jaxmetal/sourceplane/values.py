"""One metallicity for each annulus, in the ways that papers take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from jaxmetal.sourceplane.stacks import Stacks
from jaxmetal.spaxel import posterior
from jaxmetal.spaxel.contract import Likelihood

RESAMPLED = 16
"""Bootstraps of the measurements behind each annulus."""
CHUNK = 128
"""Spectra per call: annuli and their bootstraps are few, and each number of spectra is a program of its own."""
How = Literal["fluxes", "ratios", "metallicity"]
Values = tuple[np.ndarray, np.ndarray, np.ndarray]
"""12 + log(O/H), its error from the pixels' errors, and from their scatter; each of shape (annuli,)."""


def by_fluxes(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """Of the summed fluxes; the scatter is that of sums over measurements drawn again with replacement."""
    flux, sigma = held.sums()
    operator, random = held.operator, np.random.default_rng(seed)
    drawn = [flux]
    for _ in range(RESAMPLED):
        again = operator.copy()
        for start, end in zip(again.indptr[:-1], again.indptr[1:], strict=True):
            if end > start:
                again.data[start:end] *= random.multinomial(end - start, np.full(end - start, 1.0 / (end - start)))
        drawn.append(np.where(np.isfinite(flux), again @ held.flux, np.nan))
    spaxels = np.maximum(held.shares.sum(axis=1), 1.0)
    found = _posterior(likelihood, np.stack(drawn), np.broadcast_to(sigma, (len(drawn), *sigma.shape)), spaxels, seed)
    several = np.diff(operator.indptr) > 1
    scatter = np.where(several, np.std(found["z"][1:], axis=0), np.nan)
    return found["z"][0], 0.5 * (found["z_high"][0] - found["z_low"][0]), scatter


def by_ratios(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """Of the mean ratios of the source pixels to one line, as fluxes of that line's sum, through the likelihood.

    The error of a mean ratio is the larger of that from the errors of the measurements and that of the mean from the
    scatter of the pixels.
    """
    pixels, (total, _) = held.mean @ held.flux, held.sums()
    bright = pixels[:, reference] > 0.0
    shares = csr_array(held.shares.multiply(bright[None, :].astype(float)))
    weight = shares.sum(axis=1)
    scale = np.divide(1.0, weight, out=np.full(weight.size, np.nan), where=weight > 0.0)[:, None]
    base = np.where(bright, pixels[:, reference], 1.0)[:, None]
    ratio = np.where(bright[:, None], pixels / base, 0.0)
    mean = scale * (shares @ ratio)
    over = csr_array(shares.multiply(1.0 / base.T))
    own = (csr_array(over @ held.mean).power(2) @ held.sigma**2) * scale**2
    # The reference's noise is in every ratio: dr = (dF - r dF_ref) / F_ref.
    shared = np.stack(
        [
            csr_array(csr_array(over.multiply(ratio[None, :, k])) @ held.mean).power(2) @ held.sigma[:, reference] ** 2
            for k in range(ratio.shape[1])
        ],
        axis=-1,
    )
    by_pixels = np.sqrt(own + np.where(np.arange(ratio.shape[1]) == reference, 0.0, shared * scale**2))
    spread = np.sqrt(np.maximum(scale * (shares @ ratio**2) - mean**2, 0.0) / _count(shares, held.mean)[:, None])
    height = total[:, [reference]]
    flux, sigma = height * mean, height * np.fmax(by_pixels, spread)
    found = _posterior(likelihood, flux, sigma, np.maximum(weight, 1.0), seed)
    return found["z"], 0.5 * (found["z_high"] - found["z_low"]), np.full(weight.size, np.nan)


def by_metallicity(likelihood: Likelihood, held: Stacks, reference: int, seed: int) -> Values:
    """The mean metallicity of the source pixels, by their shares; pixels that share a measurement share its error."""
    inside = held.shares.sum(axis=0) > 0.0
    variance = held.mean.power(2) @ held.sigma**2
    pixels = np.where(inside[:, None], held.mean @ held.flux, np.nan)
    found = _posterior(likelihood, pixels, np.sqrt(variance), np.ones(len(pixels)), seed)
    z, error = found["z"], 0.5 * (found["z_high"] - found["z_low"])
    known = inside & np.isfinite(z) & np.isfinite(error)
    z, error = np.where(known, z, 0.0), np.where(known, error, 0.0)
    shares = csr_array(held.shares.multiply(known[None, :].astype(float)))
    weight = shares.sum(axis=1)
    scale = np.divide(1.0, weight, out=np.full(weight.size, np.nan), where=weight > 0.0)
    mean = scale * (shares @ z)
    length = np.sqrt(held.mean.power(2).sum(axis=1))
    each = np.divide(error, length, out=np.zeros(error.size), where=length > 0.0)
    by_pixels = scale * np.sqrt(csr_array(csr_array(shares.multiply(each[None, :])) @ held.mean).power(2).sum(axis=1))
    spread = np.sqrt(np.maximum(scale * (shares @ z**2) - mean**2, 0.0) / _count(shares, held.mean))
    return mean, by_pixels, spread


HOW: Mapping[str, Callable[[Likelihood, Stacks, int, int], Values]] = {
    "fluxes": by_fluxes,
    "ratios": by_ratios,
    "metallicity": by_metallicity,
}
"""Name -> what makes the values of annuli."""


def _count(shares: csr_array, mean: csr_array) -> np.ndarray:
    """How many independent measurements are behind each annulus: (sum w)^2 / sum w^2, at least 1."""
    weights = csr_array(shares @ mean)
    squares = weights.power(2).sum(axis=1)
    count = np.divide(weights.sum(axis=1) ** 2, squares, out=np.ones(squares.size), where=squares > 0.0)
    return np.maximum(count, 1.0)


def _posterior(likelihood: Likelihood, flux: Any, sigma: Any, spaxels: Any, seed: int) -> dict[str, np.ndarray]:
    """`spaxel.posterior` where there is a line, NaN elsewhere."""
    known = (np.isfinite(flux) & np.isfinite(sigma)).any(axis=-1)
    spaxels = np.broadcast_to(spaxels, known.shape)
    made = posterior(likelihood, flux[known], sigma[known], spaxels=spaxels[known], seed=seed, chunk=CHUNK)
    columns = {}
    for name in ("z", "z_low", "z_high"):
        columns[name] = np.full(known.shape, np.nan)
        columns[name][known] = made[name]
    return columns
