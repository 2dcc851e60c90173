"""What of the error of Z all spaxels of a galaxy share: the departure of its gas from the calibrations.

A spaxel's posterior averages over departures e_k ~ N(0, 1), one for each calibrated ratio, as if they were its own.
Where they are those of the whole galaxy, all its Z move together. How far Z moves with each follows from the posterior
itself: in a linear model, data y = a Z + B e + noise with a flat prior of Z, the estimate is Z = w.y with
w = V C^-1 a, C = noise + B B^T and V = 1 / (a^T C^-1 a), so that

    dZ/de_k = (w^T B)_k = -Cov(Z, e_k | y),        V = w^T noise w + sum_k (dZ/de_k)^2

and what is left of the variance is the statistical part. With several modes, or where the prior rules, the split is
that of the same second moments, and what no departure explains is left to the statistical part.

How far a spaxel moves follows from its own noisy fluxes, as its Z does: with the numbers of each spaxel a fit would
find a departure that explains noise (Peelle's pertinent puzzle). `apart` takes a straight line through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LEAST = 0.01
"""Least share of the variance that is statistical: what a nonlinear calibration and the sums over a grid leave."""

STILL = 1e-4
"""What moves Z by less, dex, does not."""
PREFIX = "z_shared_"
"""Of the columns that have a ratio in their name."""


def by_ratio(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Ratio -> by how much each Z moves if the gas departs from its calibration by the scatter, of found columns."""
    return {name.removeprefix(PREFIX): values for name, values in columns.items() if name.startswith(PREFIX)}


class Apart(NamedTuple):
    """The two parts of the errors of a map of Z, for a fit.

    Attributes:
        sigma: each spectrum's own, dex, shaped as the columns; NaN where not used.
        shared: ratio -> by how much each Z moves if the gas departs from the calibration by its scatter, dex, likewise;
            ratios by which no Z moves by more than 1e-4 dex are left out.
    """

    sigma: np.ndarray
    shared: dict[str, np.ndarray]


def apart(columns: Mapping[str, Any], signal: Any, used: Any) -> Apart:
    """Errors of the Z of a galaxy, for fits and straight lines, as free of each spectrum's noise as they can be.

    By how much Z moves depends on Z and on which lines are seen well, both of which go with radius, and so does light
    in an exponential disc: a straight line in the logarithm of the signal to noise of the brightest line, weighted by
    1 / z_statistical^2. The own error is `z_statistical`, but not less than what goes with that signal to noise (a
    parabola in logarithms): Z that noise carries to where a calibration is steep would seem precise, and count more.

    Args:
        columns: of `posterior`.
        signal: flux over error of the brightest line, shaped as the columns.
        used: which spectra count.
    """
    used = np.asarray(used) & np.isfinite(columns["z_statistical"])
    own = np.where(used, columns["z_statistical"], np.nan)
    if not used.any():
        return Apart(own, {})
    x = np.log(np.maximum(np.nan_to_num(np.asarray(signal, float)), 1.0))
    typical = np.exp(_curve(x, np.log(own), used, np.ones_like(x), 2))
    moved = {ratio: _curve(x, np.asarray(one), used, 1.0 / own, 1) for ratio, one in by_ratio(columns).items()}
    kept = {ratio: one for ratio, one in moved.items() if np.abs(one[used]).max() > STILL}
    return Apart(np.maximum(own, typical), kept)


def _curve(x: np.ndarray, y: np.ndarray, used: np.ndarray, weight: np.ndarray, degree: int) -> np.ndarray:
    """A polynomial through the used points at all x, NaN where not used."""
    terms = np.stack([x**k for k in range(degree + 1)], axis=-1)
    found = np.linalg.lstsq(weight[used, None] * terms[used], weight[used] * y[used], rcond=None)[0]
    return np.where(used, terms @ found, np.nan)


def split(z: jax.Array, mass: jax.Array, sigma: jax.Array, departures: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """The two parts of the error of Z.

    Args:
        z: nodes, shape (nodes,).
        mass: at each, which sums to 1.
        sigma: the whole error, dex.
        departures: ratio -> mean departure at each node, in units of the scatter of its calibration.

    Returns:
        `z_statistical`, never less than sqrt(LEAST) = a tenth of `sigma`, and `z_shared`, which make `sigma` in
        quadrature, dex; and `z_shared_<ratio>`, by how much Z
        moves if the gas departs from a calibration by its scatter, dex. `z_shared` is their sum in quadrature.
    """
    off = z - jnp.sum(mass * z)
    spread = jnp.sqrt(jnp.sum(mass * off**2)) + jnp.finfo(z.dtype).tiny
    shares = {name: -jnp.sum(mass * off * one) / spread for name, one in departures.items()}
    total = sum((share**2 for share in shares.values()), start=jnp.zeros((), z.dtype))
    believed = jnp.minimum(total, 1.0 - LEAST)
    less = jnp.sqrt(believed / jnp.where(total > 0.0, total, 1.0))
    return {
        "z_statistical": sigma * jnp.sqrt(1.0 - believed),
        "z_shared": sigma * jnp.sqrt(believed),
        **{f"{PREFIX}{name}": sigma * less * share for name, share in shares.items()},
    }
