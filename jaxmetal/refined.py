"""A light on a regular grid of samples, with finer samples where the grid does not resolve it.

Behind a lens the centre of a light has several images, thin discs become arcs, and at a singular centre the deflection
jumps. None of this is looked for: finer samples are taken where the light changes too much from sample to sample for
what the telescope sees there (see `numerics.refine`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.grid import Grid, cell_area, in_pixels, subpixel_indices
from jaxmetal.numerics.refine import Cells, away_from_ends, replace
from jaxmetal.numerics.tree import node
from jaxmetal.scene import Position, Source, carried_value, surface_brightness

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
    """Where the samples of a source are traced to.

    Attributes:
        grid: source-plane positions of the samples on the grid, arcsec; NaN where a deflection map does not reach.
        between: the same of finer samples, from where they lie in the grid and from their sky positions.
    """

    grid: Position
    between: Callable[[Cells, Position], Position]


@node
class Finer:
    """Samples finer than those of the grid, in the place of some of these.

    Attributes:
        cells: where.
        samples: of shape (K, factor, factor).
    """

    cells: Cells
    samples: Samples


Shining = Callable[[Position, Position, jax.Array | np.ndarray], Samples]
"""Samples of a light from sky positions, where they are traced to (both finite), and the area each stands for."""


def samples_at(
    source: Source,
    light: str,
    properties: tuple[str, ...],
    theta: Position,
    beta: Position,
    area: jax.Array | np.ndarray,
) -> Samples:
    """A light and what it carries, sampled; with the first three arguments a `Shining`."""
    # Once for all that lies on the disc: derivatives then go back through the frame once, too.
    plane = source.frame.to_plane(*beta)
    return Samples(
        flux=surface_brightness(source, light, theta, beta, plane) * area,
        values=tuple(carried_value(source, p, beta, plane) for p in properties),
    )


def refined(
    field: Samples, shining: Shining, grid: Grid, sampling: Sampling, rays: Rays
) -> tuple[Samples, tuple[Finer, ...]]:
    """The samples on the grid and the finer ones that replace some of them.

    Args:
        field: what there is on the grid alone.
        shining: the light that it samples.
        grid: the detector.
        sampling: how finely.
        rays: where the samples are traced to.
    """
    refinement = sampling.refinement
    if refinement is None:
        return field, ()
    # By the light alone, so that the same cells are replaced with and without what it carries: errors of the numerator
    # and of a denominator that is known beforehand, or shared with an image, then cancel.
    seen, cells, last = _seen(field.flux, grid, sampling, refinement.width), None, field
    allowed = away_from_ends(jnp.isfinite(rays.grid[0] + rays.grid[1]))
    kept: list[Samples] = []
    found: list[Cells] = []
    for count in refinement.cells:
        here = seen if cells is None else seen[cells.home()][:, None, None]
        relative = last.flux / jnp.where(here > 0.0, here, 1.0)
        left, cells = replace(relative, allowed, count, refinement.factor, cells)
        kept.append(Samples(flux=last.flux * left, values=last.values))
        last = _samples_in(cells, shining, grid, sampling, rays)
        allowed = jnp.broadcast_to(cells.whole[:, None, None], cells.weight.shape)
        found.append(cells)
    return kept[0], tuple(Finer(cells=c, samples=s) for c, s in zip(found, [*kept[1:], last], strict=True))


def known(beta: Position) -> Position:
    """With a harmless number where no map reaches: a NaN that is thrown away later would still reach derivatives."""
    return jnp.nan_to_num(beta[0]), jnp.nan_to_num(beta[1])


def _samples_in(cells: Cells, shining: Shining, grid: Grid, sampling: Sampling, rays: Rays) -> Samples:
    """A light and what it carries in small cells, with the share of the light that is theirs."""
    column, row = (
        in_pixels(k, n, density=sampling.density, margin=sampling.margin).astype(cells.weight.dtype)
        for k, n in zip(cells.positions(), grid.shape[::-1], strict=True)
    )
    theta = grid.to_sky(column, row)
    area = cell_area(grid, density=sampling.density, margin=sampling.margin) / cells.factor ** (2 * cells.depth)
    found = shining(theta, known(rays.between(cells, theta)), area)
    flux = found.flux * cells.weight
    return Samples(flux=jnp.where(jnp.isfinite(flux), flux, 0.0), values=found.values)


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
