"""The operator: lights and what they carry, sampled on the sky, blended by their light, blurred and binned.

    O[f] = bins . pixels . PSF . (f at beta = theta - alpha(theta))
    <P>  = g^-1( sum_sources O[L g(P)] / sum_sources O[L] )

with the sums over sources taken before the ratio. With g(P) = P these are the mean over an aperture and the blend of
components of Metha et al. 2024, RASTI, rzae010, eqs 2 and 3. `expose` is the one blur: an image exposes L, a weighted
map L and L g(P) together, and takes the ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add
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
from jaxmetal.numerics.strips import in_strips
from jaxmetal.numerics.tree import node
from jaxmetal.refined import Finer, Rays, Samples, Shining, refined, samples_at
from jaxmetal.scene import Position, Scene, Source, reaches

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


def grid_flux(scene: Scene, source: Source, light: str, grid: Grid, sampling: Sampling, alpha: Any) -> jax.Array:
    """Flux of a light in each sample cell, without the part that the polar core takes over.

    Args:
        scene: the sky.
        source: one of its sources.
        light: one of the source's lights.
        grid: the detector.
        sampling: how finely.
        alpha: the deflection at the samples.
    """
    flux = samples_at(source, light, (), view(grid, sampling), alpha, _area(grid, sampling)).flux
    return _outside_core(flux, source, grid, sampling) if has_core(scene, source, light, sampling) else flux


def _area(grid: Grid, sampling: Sampling) -> jax.Array:
    """That each sample stands for."""
    return cell_area(grid, density=sampling.density, margin=sampling.margin)


def _outside_core(flux: jax.Array, source: Source, grid: Grid, sampling: Sampling) -> jax.Array:
    """The part of samples that the polar core does not take over."""
    column, row = grid.to_pixel(source.frame.x0, source.frame.y0)
    rows, columns = (
        subpixel_indices(n, density=sampling.density, margin=sampling.margin).astype(flux.dtype) for n in grid.shape
    )
    return flux * (1.0 - window(columns[None, :] - column, rows[:, None] - row, sampling.core_size))


def sample(
    scene: Scene,
    shown: Sequence[tuple[Source, str, jax.Array | None]],
    properties: tuple[str, ...],
    grid: Grid,
    sampling: Sampling,
    rays: Rays,
) -> list[Layer]:
    """Samples lights and the properties they carry.

    Args:
        scene: the sky.
        shown: some of its sources, one light of each, and its flux from `grid_flux` where that is known beforehand.
        properties: names of carried properties.
        grid: the detector.
        sampling: how finely.
        rays: how light is bent.
    """
    theta = view(grid, sampling)
    alpha = rays.on_grid(theta)
    sources, names, known = map(list, zip(*shown, strict=True))

    def look(numbers: Any, places: Any) -> list[Samples]:
        (sources, area), (theta, alpha, known) = numbers, places
        lights = zip(sources, names, known, strict=True)
        return [samples_at(source, light, properties, theta, alpha, area, flux) for source, light, flux in lights]

    fields = in_strips(look, (sources, _area(grid, sampling)), (theta, alpha, known), theta[0].shape)
    reaching = [reaches(alpha, one.distance_ratio) for one in sources]
    reached = jnp.broadcast_to(jnp.all(jnp.stack(reaching), axis=0), theta[0].shape)
    pictured = [is_on_sky(source.lights[light]) for source, light, _ in shown]
    cored = [has_core(scene, source, light, sampling, properties) for source, light, _ in shown]
    for k, field in enumerate(fields):
        if cored[k] and (known[k] is None or pictured[k]):  # a picture's is known with what its core takes over
            fields[k] = Samples(flux=_outside_core(field.flux, sources[k], grid, sampling), values=field.values)
    shining = [partial(samples_at, source, light, properties) for source, light, _ in shown]
    # A picture is as smooth as its pixels.
    rough = [k for k, smooth in enumerate(pictured) if not smooth]
    made = refined([fields[k] for k in rough], [shining[k] for k in rough], reached, grid, sampling, rays.between)
    replaced = dict(zip(rough, made, strict=True))
    layers = []
    for k, field in enumerate(fields):
        kept, finer = replaced.get(k, (field, ()))
        core, centre = _core(shining[k], sources[k], grid, sampling, field.flux.dtype) if cored[k] else (None, None)
        layers.append(Layer(field=kept, finer=finer, core=core, centre=centre))
    return layers


def _core(
    shining: Shining, source: Source, grid: Grid, sampling: Sampling, dtype: Any
) -> tuple[Samples, tuple[jax.Array, jax.Array]]:
    """Samples at polar nodes, and where their centre is."""
    column, row = grid.to_pixel(source.frame.x0, source.frame.y0)
    dx, dy, areas = (a.astype(dtype) for a in polar_nodes(*sampling.core_nodes, sampling.core_size))
    theta = grid.to_sky(column + dx, row + dy)
    return shining(theta, (0.0, 0.0), areas * grid.pixel_area), (column, row)


Fields = Callable[[Samples], jax.Array]
"""What is exposed: from samples to flux times something, with the channels in front."""


def expose(layers: list[Layer], imager: Imager, fields: Fields) -> jax.Array:
    """O[f] of several fields under one blur: layers are summed sample by sample, then blurred and put into pixels once.

    Args:
        layers: at least one, of one call of `sample`.
        imager: the blur.
        fields: e.g. `light_alone`, or L times functions of what is carried.

    Returns:
        shape (channels, ny, nx).
    """
    field: Any = sum(fields(layer.field) for layer in layers)
    for level in zip(*(layer.finer for layer in layers if layer.finer), strict=True):
        field = put(field, level[0].cells, reduce(add, (fields(finer.samples) for finer in level)))
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
        weighted = [samples.flux * moment for moment in mixing.moments(samples.values, reference)]
        return jnp.stack([samples.flux, *weighted] if light is None else weighted)

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
