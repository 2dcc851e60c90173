"""Every spaxel at once, in chunks of bounded memory."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import floats, require_count
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.ranges import inside
from jaxmetal.machine import Program, processors, program
from jaxmetal.numerics.quantities import unit_of
from jaxmetal.spaxel.adaptive import Levels, PosteriorGrid, refine
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.flux_likelihood import usable
from jaxmetal.spaxel.shared import split
from jaxmetal.spaxel.summary import summarise

CHUNK, ABREAST = 512, 16
"""Spaxels per call and, on a CPU, per vectorised step within it: few, so that a step's arrays stay in the cache."""

DRAWS = 256
"""Draws of intrinsic Hb per spaxel."""


def posterior(
    likelihood: Likelihood,
    flux: Any,
    sigma: Any,
    *,
    spaxels: Any = 1,
    levels: Levels | None = None,
    seed: int = 0,
    chunk: int = CHUNK,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """The posterior of metallicity, extinction and Hb of every spaxel.

    Args:
        likelihood: from `fluxes`, `patricio19`, `wang17` or `curti20`.
        flux: observed, shape (..., features) in the order of `likelihood.features`; NaN where missing.
        sigma: its errors, same shape and unit; inf or NaN where missing.
        spaxels: how many were summed in each spectrum, a number or of shape (...); priors of Hb are those of one.
        levels: nodes of the grid.
        seed: of the draws of Hb.
        chunk: spaxels per call, which bounds the memory.
        progress: called with the numbers of spaxels done and in all.

    Returns:
        Name -> array of shape (...): `z`, `z_low`, `z_high` (median, 16 and 84 %, 12 + log(O/H)); the same for `a_v`
        (mag) and `hb` (intrinsic, the unit of the fluxes); `z_sigma`, half of what lies between 16 and 84 % of Z, and
        the parts of it: `z_statistical`, `z_shared` and, per calibrated ratio, `z_shared_<ratio>` (see `shared`);
        `mode`; `mode_lower`, `mode_upper` and their weights
        `p_lower`, `p_upper` (see `branch`); `information` on Z, nats; `log_evidence`; `outside`, the probability that
        a calibration is beyond its valid range; `at_edge`, that Z is in the outer 2 % of its prior; `lines`, how many
        were used. Without a single line `hb` is NaN and the rest is the prior.

    Raises:
        InputError: if shapes do not fit, no spaxel has a line, an error or number of spaxels is not positive, or a
            parameter besides Z, A_V, Hb and offsets is free.
    """
    flux, sigma = checked(likelihood, flux, sigma)
    shape, levels = flux.shape[:-1], settle(likelihood, levels)
    rows = [array.reshape(-1, flux.shape[-1]) for array in (flux, sigma)]
    rows.append(_counts(spaxels, shape).ravel())
    require_count("chunk", chunk, 1)
    count, key = rows[0].shape[0], jax.random.key(seed)
    size = min(chunk, max(ABREAST, 1 << (count - 1).bit_length()))
    abreast = ABREAST if jax.default_backend() == "cpu" else size

    def columns(start: int) -> dict[str, np.ndarray]:
        # Few sizes, and the last chunk filled up with the last spaxel: a second map compiles nothing.
        index = np.minimum(np.arange(start, start + size), count - 1)
        made = _chunk(likelihood, *(row[index] for row in rows), index, key, levels, abreast)
        return {name: np.asarray(values)[: count - start] for name, values in made.items()}

    found = []
    # Programs release Python's lock; what waits is a few columns.
    with ThreadPoolExecutor(processors()) as pool:
        for part in pool.map(columns, range(0, count, size)):
            found.append(part)
            if progress is not None:
                progress(min(len(found) * size, count), count)
    return {name: np.concatenate([part[name] for part in found]).reshape(shape) for name in found[0]}


def _counts(spaxels: Any, shape: tuple[int, ...]) -> np.ndarray:
    """How many spaxels were summed in each spectrum."""
    counts = floats("spaxels", spaxels)
    if counts.shape not in ((), shape) or not np.all(inside("(0, inf)", counts)):
        raise InputError(
            f"spaxels: expected a number above 0, or one for each spectrum in the shape {shape}, found "
            f"{shown(spaxels) if not counts.ndim else f'shape {counts.shape}'}; correct it."
        )
    return np.broadcast_to(counts, shape)


def grid(likelihood: Likelihood, flux: Any, sigma: Any, *, levels: Levels | None = None) -> PosteriorGrid:
    """The whole grid posterior of one spaxel.

    Args:
        likelihood: as for `posterior`.
        flux: shape (features,).
        sigma: same.
        levels: nodes.
    """
    flux, sigma = checked(likelihood, flux, sigma)
    return _grid(likelihood, jnp.asarray(flux), jnp.asarray(sigma), settle(likelihood, levels))


def checked(likelihood: Likelihood, flux: Any, sigma: Any) -> tuple[np.ndarray, np.ndarray]:
    """As `checked_shapes`, for likelihoods that fit on a grid.

    Raises:
        InputError: as `posterior` says.
    """
    if getattr(likelihood, "nii_ha", 0.0) is None:
        raise InputError(
            "wang17: expected a value of nii_ha on the grid, found it free; use `sample`, or give a value."
        )
    return checked_shapes(likelihood, flux, sigma)


def checked_shapes(likelihood: Likelihood, flux: Any, sigma: Any) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors as arrays of one shape.

    Raises:
        InputError: if shapes do not fit, no spaxel has a line, or an error is not positive.
    """
    flux, sigma = floats("flux", flux, unit_of(flux)), floats("sigma", sigma, unit_of(flux))
    features = likelihood.features
    if flux.ndim == 0 or flux.shape[-1] != len(features):
        raise InputError(
            f"flux: expected {len(features)} values along the last axis ({', '.join(features)}), found shape "
            f"{flux.shape}; stack the lines in this order."
        )
    if sigma.shape != flux.shape:
        raise InputError(
            f"sigma: expected the shape {flux.shape} of the fluxes, found {sigma.shape}; give one per flux."
        )
    bad = np.isfinite(flux) & (sigma <= 0.0)
    if bad.any():
        raise InputError(
            f"sigma: expected positive errors wherever there is a flux, found {int(bad.sum())} that are zero or "
            "negative; set these to NaN where the line is missing."
        )
    if not (np.isfinite(flux) & np.isfinite(sigma)).any():
        raise InputError(f"flux: expected some finite values, found none in shape {flux.shape}; check the input.")
    return flux, sigma


def settle(likelihood: Likelihood, levels: Levels | None) -> Levels:
    """The nodes, with a single one along A(V) where that is known."""
    levels = Levels() if levels is None else levels
    low, high = likelihood.a_v_range
    return levels if low < high else dataclasses.replace(levels, a_v=1)


def one_spaxel(
    likelihood: Likelihood, flux: jax.Array, sigma: jax.Array, key: jax.Array, levels: Levels
) -> dict[str, jax.Array]:
    """The columns of `posterior` for one spaxel."""
    found = posterior_grid(likelihood, flux, sigma, levels)
    hb = draws(likelihood, flux, sigma, found, key, DRAWS)[2]
    columns = summarise(found, likelihood, hb, usable(flux, sigma)[0])
    # Departures are nearly linear in A(V): their mean at a Z is that at the mean A(V) there.
    mass = jnp.sum(found.mass, axis=1)
    a_v = found.mass @ found.a_v / jnp.where(mass > 0.0, mass, 1.0)
    return columns | split(found.z, mass, columns["z_sigma"], likelihood.departures(flux, sigma, found.z, a_v))


def posterior_grid(likelihood: Likelihood, flux: jax.Array, sigma: jax.Array, levels: Levels) -> PosteriorGrid:
    """The grid of one spaxel; pure."""
    return refine(
        functools.partial(likelihood.log_marginal, flux, sigma),
        jnp.asarray(likelihood.z_range, flux.dtype),
        jnp.asarray(likelihood.a_v_range, flux.dtype),
        levels,
    )


def draws(
    likelihood: Likelihood, flux: jax.Array, sigma: jax.Array, found: PosteriorGrid, key: jax.Array, count: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Joint draws of Z, A_V and intrinsic Hb: nodes by systematic sampling, Hb given the node."""
    first, second = jax.random.split(key)
    z, a_v = draw_nodes(found, first, count)
    return z, a_v, likelihood.draw_hb(second, flux, sigma, z, a_v)


def draw_nodes(found: PosteriorGrid, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """Z and A_V of nodes in proportion to their mass, in the order of the grid."""
    cumulative = jnp.cumsum(found.mass.ravel())
    places = (jnp.arange(count) + jax.random.uniform(key, dtype=cumulative.dtype)) / count * cumulative[-1]
    index = jnp.clip(jnp.searchsorted(cumulative, places), 0, cumulative.size - 1)
    return found.z[index // found.a_v.size], found.a_v[index % found.a_v.size]


@program(static_argnames=("levels", "abreast"))
def _chunk(
    likelihood: Likelihood,
    flux: jax.Array,
    sigma: jax.Array,
    spaxels: jax.Array,
    index: jax.Array,
    key: jax.Array,
    levels: Levels,
    abreast: int,
) -> dict[str, jax.Array]:
    def one(row: tuple[jax.Array, jax.Array, jax.Array, jax.Array]) -> dict[str, jax.Array]:
        flux, sigma, spaxels, number = row
        return one_spaxel(likelihood.summed(spaxels), flux, sigma, jax.random.fold_in(key, number), levels)

    return jax.lax.map(one, (flux, sigma, spaxels, index), batch_size=abreast)


_grid = Program(posterior_grid, static_argnames="levels")
