"""Metallicity by each ratio alone: proper inversions, and how much the ratios disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import Calibration, DustLaw, dust_law, invert

Branch = Literal["lower", "upper"]


def deredden(fluxes: Mapping[str, Any], a_v: Any, law: str | DustLaw = "CCM89") -> dict[str, jax.Array]:
    """Intrinsic fluxes, F 10^(0.4 A(line)/A(V) A_V); A_V a number or a map, mag.

    Raises:
        InputError: if a line or the law is unknown.
    """
    law = dust_law(law) if isinstance(law, str) else law
    return {name: jnp.asarray(flux) * 10.0 ** (0.4 * law(name) * jnp.asarray(a_v)) for name, flux in fluxes.items()}


def by_each_ratio(fluxes: Mapping[str, Any], calibrations: Iterable[Calibration]) -> dict[str, jax.Array]:
    """Every root of every calibration.

    Args:
        fluxes: dereddened, line -> map.
        calibrations: e.g. `calibration_set("C20").values()`.

    Returns:
        Calibration name -> Z, shape (branches, *map shape), lower metallicities first; NaN where a branch does not
        reach the ratio or a sum of lines above or below its bar is not positive: R23 bears a faint line below zero.

    Raises:
        InputError: if a calibration needs a line that is not given.
    """
    return {one.name: invert(one, one.ratio.log10(fluxes)) for one in calibrations}


def on_branch(roots: jax.Array, branch: Branch) -> jax.Array:
    """The lowest or the highest root of each spaxel, NaN where there is none."""
    if branch not in ("lower", "upper"):
        raise InputError(f"branch: expected 'lower' or 'upper', found '{branch}'; choose one.")
    known = ~jnp.isnan(roots)
    extreme = jnp.min if branch == "lower" else jnp.max
    fill = jnp.inf if branch == "lower" else -jnp.inf
    return jnp.where(known.any(axis=0), extreme(jnp.where(known, roots, fill), axis=0), jnp.nan)


def dispersion(roots: Mapping[str, jax.Array], branch: Branch) -> jax.Array:
    """Standard deviation (n - 1) of Z between the ratios, spaxel by spaxel, dex; NaN where fewer than two give a Z."""
    z = jnp.stack([on_branch(one, branch) for one in roots.values()])
    known = ~jnp.isnan(z)
    count = known.sum(axis=0)
    mean = jnp.where(known, z, 0.0).sum(axis=0) / jnp.maximum(count, 1)
    squares = jnp.where(known, (z - mean) ** 2, 0.0).sum(axis=0)
    return jnp.where(count > 1, jnp.sqrt(squares / jnp.maximum(count - 1, 1)), jnp.nan)


def comparison(
    fluxes: Mapping[str, Any],
    line_sets: Mapping[str, Iterable[Calibration]],
    *,
    a_v: Any,
    laws: Iterable[str],
    branch: Branch,
) -> dict[str, list[Any]]:
    """A table over line sets, dust laws and ratios: median Z of the map, and the median dispersion between the ratios.

    Args:
        fluxes: observed, line -> map.
        line_sets: name -> calibrations whose lines that set has.
        a_v: A(V), mag, number or map.
        laws: names of dust laws.
        branch: which root where there are several.

    Returns:
        Columns "lines", "law", "calibration", "median" (dex), "spaxels" (how many have a Z) and "dispersion" (dex).

    Raises:
        InputError: as `by_each_ratio` and `deredden`.
    """
    rows = []
    sets = {name: tuple(calibrations) for name, calibrations in line_sets.items()}
    for law in laws:
        intrinsic = deredden(fluxes, a_v, law)
        for name, calibrations in sets.items():
            roots = by_each_ratio(intrinsic, calibrations)
            spread = _median(dispersion(roots, branch)) if roots else np.nan
            for key, found in roots.items():
                z = np.asarray(on_branch(found, branch))
                rows.append((name, law, key, _median(z), int(np.isfinite(z).sum()), spread))
    columns = ("lines", "law", "calibration", "median", "spaxels", "dispersion")
    return {column: [row[i] for row in rows] for i, column in enumerate(columns)}


def _median(values: Any) -> float:
    values = np.asarray(values)
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
