"""Lights on a regular grid of samples, with finer samples where the grid does not resolve it.

Behind a lens the centre of a light has several images, thin discs become arcs, and at a singular centre the deflection
jumps. None of this is looked for: finer samples are taken where the light changes too much from sample to sample for
what the telescope sees there (see `numerics.refine`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.grid import Grid, cell_area, in_pixels, subpixel_indices
from jaxmetal.numerics.refine import Cells, away_from_ends, replace
from jaxmetal.numerics.tree import node
from jaxmetal.scene import Position, Source, bent, carried_value, surface_brightness

FAINT = 1e-3
"""Of the brightest light: errors of fainter light are compared with this much."""


@node
class Samples:
    """A light and the values it carries at sample points.

    Attributes:
        flux: surface brightness times the area a sample stands for.
        values: the carried properties there, one array each.
    """

    flux: jax.Array
    values: tuple[jax.Array, ...]


class Rays(NamedTuple):
    """How light is bent on its way to the samples: deflections at a distance ratio of 1, NaN where none is known.

    Attributes:
        on_grid: arcsec, at the samples on the grid, from their sky positions.
        between: the same at finer samples, from where they lie in the grid and from their sky positions.
    """

    on_grid: Callable[[Position], Any]
    between: Callable[[Cells, Position], Any]


@node
class Finer:
    """Samples finer than those of the grid, in the place of some of these.

    Attributes:
        cells: where.
        samples: of shape (K, factor, factor).
    """

    cells: Cells
    samples: Samples


Shining = Callable[[Position, Any, "jax.Array | np.ndarray"], Samples]
"""Samples of a light from sky positions, the deflection there, and the area each stands for."""


def samples_at(
    source: Source,
    light: str,
    properties: tuple[str, ...],
    theta: Position,
    alpha: Any,
    area: jax.Array | np.ndarray,
    flux: jax.Array | None = None,
) -> Samples:
    """A light and what it carries, sampled; with the first three arguments a `Shining`.

    What no deflection map covers emits nothing here, and is refused by `prepare` near data.

    Args:
        source: which has the light.
        light: its name.
        properties: names of carried properties.
        theta: sky positions.
        alpha: deflection there at a distance ratio of 1, NaN where it is not known; arcsec.
        area: that each sample stands for.
        flux: where it is known beforehand.
    """
    beta = bent(theta, alpha, source.distance_ratio)
    covered = jnp.isfinite(beta[0] + beta[1])
    # A NaN that is thrown away later would still reach derivatives.
    beta = jnp.where(covered, beta[0], 0.0), jnp.where(covered, beta[1], 0.0)
    # Once for all that lies on the disc: derivatives then go back through the frame once, too.
    plane = source.frame.to_plane(*beta)
    if flux is None:
        flux = surface_brightness(source, light, theta, beta, plane) * area
        flux = jnp.where(covered & jnp.isfinite(flux), flux, 0.0)
    return Samples(flux=flux, values=tuple(carried_value(source, p, beta, plane) for p in properties))


def refined(
    fields: Sequence[Samples],
    shining: Sequence[Shining],
    reached: jax.Array,
    grid: Grid,
    sampling: Sampling,
    between: Callable[[Cells, Position], Any],
) -> list[tuple[Samples, tuple[Finer, ...]]]:
    """Of each light the samples on the grid and the finer ones that replace some of them.

    All lights have their finer samples in the same places, where their sum is doubtful: as many as each has alone.

    Args:
        fields: what there is on the grid alone, of lights on the same grid.
        shining: the lights that it samples.
        reached: where on the grid the deflection is known.
        grid: the detector.
        sampling: how finely.
        between: see `Rays`.
    """
    refinement = sampling.refinement
    if refinement is None or not fields:
        return [(field, ()) for field in fields]
    # By the light alone, so that the same cells are replaced with and without what it carries: errors of the numerator
    # and of a denominator that is known beforehand, or shared with an image, then cancel.
    seen = _seen(_summed(fields), grid, sampling, refinement.width)
    allowed, last, cells = away_from_ends(reached), list(fields), None
    kept: list[list[Samples]] = []
    found: list[Cells] = []
    for count in refinement.cells:
        here = seen if cells is None else seen[cells.home()][:, None, None]
        relative = _summed(last) / jnp.where(here > 0.0, here, 1.0)
        left, cells = replace(relative, allowed, count * len(fields), refinement.factor, cells)
        kept.append([Samples(flux=one.flux * left, values=one.values) for one in last])
        last = _samples_in(cells, shining, grid, sampling, between)
        allowed = jnp.broadcast_to(cells.whole[:, None, None], cells.weight.shape)
        found.append(cells)
    return [
        (first, tuple(Finer(cells=c, samples=s) for c, s in zip(found, finer, strict=True)))
        for first, *finer in zip(*kept, last, strict=True)
    ]


def _summed(lights: Sequence[Samples]) -> jax.Array:
    """The light of all."""
    return reduce(add, (light.flux for light in lights))


def _samples_in(
    cells: Cells,
    shining: Sequence[Shining],
    grid: Grid,
    sampling: Sampling,
    between: Callable[[Cells, Position], Any],
) -> list[Samples]:
    """Lights and what they carry in small cells, with the share of the light that is theirs."""
    column, row = (
        in_pixels(k, n, density=sampling.density, margin=sampling.margin).astype(cells.weight.dtype)
        for k, n in zip(cells.positions(), grid.shape[::-1], strict=True)
    )
    theta = grid.to_sky(column, row)
    area = cell_area(grid, density=sampling.density, margin=sampling.margin) / cells.factor ** (2 * cells.depth)
    alpha = between(cells, theta)
    found = [one(theta, alpha, area) for one in shining]
    return [Samples(flux=one.flux * cells.weight, values=one.values) for one in found]


def _seen(flux: jax.Array, grid: Grid, sampling: Sampling, width: float) -> jax.Array:
    """Roughly what the telescope sees of a light at each sample: a Gaussian of `width` pixels, at every pixel."""
    lines, nearest = [], []
    for n in grid.shape:
        samples = subpixel_indices(n, density=sampling.density, margin=sampling.margin)
        pixels = np.arange(-sampling.margin, n + sampling.margin)
        lines.append(np.exp(-0.5 * ((pixels[:, None] - samples) / width) ** 2))
        nearest.append(np.clip(np.rint(samples).astype(int) + sampling.margin, 0, len(pixels) - 1))
    along_y, along_x = (jnp.asarray(line, flux.dtype) for line in lines)
    blurred = along_y @ flux @ along_x.T
    return (blurred + FAINT * jnp.max(blurred))[nearest[0][:, None], nearest[1]]
