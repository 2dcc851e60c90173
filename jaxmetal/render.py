"""The operator: lights and what they carry, sampled on the sky, blended by their light, blurred and binned.

    O[f] = bins . pixels . PSF . (f at beta = theta - alpha(theta))
    <P>  = g^-1( sum_sources O[L g(P)] / sum_sources O[L] )

with the sums over sources taken before the ratio. With g(P) = P these are the mean over an aperture and the blend of
components of Metha et al. 2024, RASTI, rzae010, eqs 2 and 3. `expose` is the one blur: an image exposes L, a weighted
map L and L g(P) together, and takes the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.instrument.cores import Cores
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.mixing import Mixing
from jaxmetal.numerics.cusp import polar_nodes, window
from jaxmetal.numerics.grid import Grid, cell_area, subpixel_indices, subpixels
from jaxmetal.numerics.profile import is_on_sky
from jaxmetal.numerics.refine import put
from jaxmetal.numerics.tree import node
from jaxmetal.refined import Finer, Rays, Samples, known, refined, samples_at
from jaxmetal.scene import Position, Scene, Source, carried_value, surface_brightness

Imager = Callable[[jax.Array, Cores | None], jax.Array]
"""From samples on the grid, (channels, Ny, Nx), and in cores to pixels, (channels, ny, nx)."""


@node
class Layer:
    """One light of one source: samples on the grid, finer ones, and around its cusp samples at polar nodes.

    Attributes:
        field: samples on the widened, oversampled grid.
        finer: level by level, those that replace doubtful ones.
        core: samples in the polar core, or None.
        centre: native pixel position (column, row) of the core, or None.
    """

    field: Samples
    finer: tuple[Finer, ...] = ()
    core: Samples | None = None
    centre: Any = None

    def everything(self) -> list[Samples]:
        """All samples."""
        return [self.field, *(finer.samples for finer in self.finer), *([] if self.core is None else [self.core])]


def view(grid: Grid, sampling: Sampling) -> Position:
    """Sky positions theta of the samples on the grid, arcsec."""
    return subpixels(grid, density=sampling.density, margin=sampling.margin)


def has_core(scene: Scene, source: Source, light: str, sampling: Sampling, properties: tuple[str, ...] = ()) -> bool:
    """Whether a source's centre gets the polar core: where it is seen directly and something may have a cusp there.

    Pictures have none, but what they weight has. Behind a lens the centre has several images, and the grid alone is
    used.
    """
    return sampling.core_size > 0.0 and not scene.lens and (bool(properties) or not is_on_sky(source.lights[light]))


def grid_flux(
    scene: Scene,
    source: Source,
    light: str,
    grid: Grid,
    sampling: Sampling,
    beta: Position,
    plane: Position | None = None,
) -> jax.Array:
    """Flux of a light in each sample cell, without the part that the polar core takes over.

    Arguments as those of `sample`; `plane` is beta on the source's disc, where that is known.
    """
    # Sub-pixels that no deflection map covers emit nothing here, and are refused by `prepare` near data.
    covered = jnp.isfinite(beta[0] + beta[1])
    beta = known(beta)
    theta = view(grid, sampling)
    area = cell_area(grid, density=sampling.density, margin=sampling.margin)
    flux = surface_brightness(source, light, theta, beta, plane) * area
    if has_core(scene, source, light, sampling):
        flux = _outside_core(flux, source, grid, sampling)
    return jnp.where(covered & jnp.isfinite(flux), flux, 0.0)


def _outside_core(flux: jax.Array, source: Source, grid: Grid, sampling: Sampling) -> jax.Array:
    """The part of samples that the polar core does not take over."""
    column, row = _cusp(source, grid)
    rows, columns = (
        subpixel_indices(n, density=sampling.density, margin=sampling.margin).astype(flux.dtype) for n in grid.shape
    )
    return flux * (1.0 - window(columns[None, :] - column, rows[:, None] - row, sampling.core_size))


def _cusp(source: Source, grid: Grid) -> tuple[jax.Array, jax.Array]:
    """Native pixel position (column, row) of a source's centre."""
    return grid.to_pixel(source.frame.x0, source.frame.y0)


def sample(
    scene: Scene,
    source: Source,
    light: str,
    properties: tuple[str, ...],
    grid: Grid,
    sampling: Sampling,
    rays: Rays,
    flux: jax.Array | None = None,
) -> Layer:
    """Samples one light of one source and the properties it carries.

    Args:
        scene: the sky.
        source: one of its sources.
        light: one of the source's lights.
        properties: names of carried properties.
        grid: the detector.
        sampling: how finely.
        rays: where the samples are traced to.
        flux: from `grid_flux` where it is known beforehand.
    """
    beta = known(rays.grid)
    # Once for all that lies on the disc: derivatives then go back through the frame once, too.
    plane = source.frame.to_plane(*beta)
    if flux is None:
        flux = grid_flux(scene, source, light, grid, sampling, rays.grid, plane)
    pictured, cored = is_on_sky(source.lights[light]), has_core(scene, source, light, sampling, properties)
    if cored and pictured:  # whose flux, all of it, may be known before its source's centre
        flux = _outside_core(flux, source, grid, sampling)
    field = Samples(flux=flux, values=tuple(carried_value(source, p, beta, plane) for p in properties))
    shining, finer = partial(samples_at, source, light, properties), tuple[Finer, ...]()
    if not pictured:  # a picture is as smooth as its pixels
        field, finer = refined(field, shining, grid, sampling, rays)
    if not cored:
        return Layer(field=field, finer=finer)
    column, row = _cusp(source, grid)
    dx, dy, areas = (a.astype(flux.dtype) for a in polar_nodes(*sampling.core_nodes, sampling.core_size))
    theta = grid.to_sky(column + dx, row + dy)
    core = shining(theta, theta, areas * grid.pixel_area)
    return Layer(field=field, finer=finer, core=core, centre=(column, row))


Fields = Callable[[Samples], jax.Array]
"""What is exposed: from samples to flux times something, with the channels in front."""


def expose(layers: list[Layer], imager: Imager, fields: Fields) -> jax.Array:
    """O[f] of several fields under one blur: layers are summed sample by sample, then blurred and put into pixels once.

    Args:
        layers: at least one.
        imager: the blur.
        fields: e.g. `light_alone`, or L times functions of what is carried.

    Returns:
        shape (channels, ny, nx).
    """
    field: Any = sum(fields(layer.field) for layer in layers)
    for finer in (finer for layer in layers for finer in layer.finer):
        field = put(field, finer.cells, fields(finer.samples))
    cores = [(layer.centre, fields(layer.core)) for layer in layers if layer.core is not None]
    if not cores:
        return imager(field, None)
    column, row = (jnp.stack(positions) for positions in zip(*(centre for centre, _ in cores), strict=True))
    return imager(field, Cores(column=column, row=row, flux=jnp.stack([flux for _, flux in cores], axis=1)))


def light_alone(samples: Samples) -> jax.Array:
    """L, one channel: what an image exposes."""
    return samples.flux[None]


def blend(
    layers: list[Layer], imager: Imager, mixing: Mixing, bins: Any, light: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """The light-weighted property and its light, over sources and bins before the ratio.

    Args:
        layers: at least one.
        imager: the blur.
        mixing: see `jaxmetal.mixing`.
        bins: `Bins`, or None for pixels.
        light: the denominator in pixels, where it is known beforehand.

    Returns:
        g^-1(numerator / denominator) and the denominator, each (ny, nx) or (n bins,).
    """
    everything = [samples for layer in layers for samples in layer.everything()]
    reference = jax.lax.stop_gradient(mixing.reference(*_range([(s.flux, s.values) for s in everything])))

    def moments(samples: Samples) -> jax.Array:
        weights = [jnp.ones_like(samples.flux)] if light is None else []
        return samples.flux * jnp.stack([*weights, *mixing.moments(samples.values, reference)])

    sums = expose(layers, imager, moments)
    sums = sums if light is None else jnp.concatenate([light[None], sums])
    sums = sums if bins is None else bins.total(sums)
    low, high = _range([(s.flux, mixing.moments(s.values, reference)) for s in everything])
    means = tuple(_mean(n, sums[0], lo, hi) for n, lo, hi in zip(sums[1:], low, high, strict=True))
    return mixing.combine(means, reference), sums[0]


def _range(
    samples: list[tuple[jax.Array, tuple[jax.Array, ...]]],
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    """Smallest and largest of each value where there is light, or of all values where there is none at all."""
    count = len(samples[0][1])
    dark = ~jnp.any(jnp.stack([jnp.any(flux > 0.0) for flux, _ in samples]))

    def extreme(k: int, reduce: Any, empty: float) -> jax.Array:
        return reduce(jnp.stack([reduce(jnp.where((flux > 0.0) | dark, values[k], empty)) for flux, values in samples]))

    return (
        tuple(extreme(k, jnp.min, jnp.inf) for k in range(count)),
        tuple(extreme(k, jnp.max, -jnp.inf) for k in range(count)),
    )


def _mean(numerator: jax.Array, denominator: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """A blend is a convex mean: within [low, high], also where the light is no more than round-off.

    Both fields are first divided by the light itself, held constant: the derivative of a ratio needs the light squared,
    which underflows long before the light does.
    """
    light = jax.lax.stop_gradient(denominator)
    lit = light > jnp.finfo(light.dtype).tiny ** 0.5 * jnp.max(light)
    scale = jnp.where(lit, light, 1.0)
    ratio = (numerator / scale) / jnp.where(lit, denominator / scale, 1.0)
    mean = jnp.where(lit, ratio, 0.5 * (low + high))
    inside = jnp.clip(mean, low, high)
    # Between equal bounds a clip halves the derivative: where it took away no more than round-off, it has none.
    exact = jnp.abs(inside - mean) <= jnp.finfo(light.dtype).eps ** 0.5 * (1.0 + jnp.abs(mean))
    straight = jax.lax.stop_gradient(inside) + (mean - jax.lax.stop_gradient(mean))
    return jnp.where(exact, straight, inside)
