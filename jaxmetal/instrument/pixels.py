"""From sub-pixel samples to detector pixels: the blur and the pixel in one linear map.

Both routes compute, for native pixel i and samples f_k (flux in a cell, arcsec^2 included) at positions x_k,

    value_i = sum_k W(x_i - x_k) f_k,     W = PSF * pixel,

on a widened frame (`margin`), so that light from outside blurs in and nothing wraps around.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.cores import Cores
from jaxmetal.instrument.levels import Level
from jaxmetal.instrument.psf import PSF
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.instrument.separable import Separable, separable
from jaxmetal.numerics.bands import Places
from jaxmetal.numerics.cells import settle
from jaxmetal.numerics.cusp import EXTENT
from jaxmetal.numerics.fourier import block_sum, convolve
from jaxmetal.numerics.grid import Grid, subpixel_line
from jaxmetal.numerics.spread import spread
from jaxmetal.numerics.tree import node, static

TINY = 1e-9
"""Share of a variance that stands for none, where its square root has a derivative."""


@node
class Pyramid:
    """The map for a mixture of Gaussians (see `instrument.levels`).

    Attributes:
        onto: per level the blur that brings the samples of the level before to its own coarser grid, None where its
            grid is that of the samples.
        blurs: per level the blur of its components, to pixels.
    """

    onto: tuple[Separable | None, ...]
    blurs: tuple[Separable, ...]

    def image(self, field: jax.Array, cores: Cores | None) -> jax.Array:
        """Gridded samples, (channels, Ny, Nx), and cores to pixels (channels, ny, nx)."""
        pixels = []
        for onto, blur in zip(self.onto, self.blurs, strict=True):
            if onto is not None:
                # A coarser grid holds what was in the cores.
                field, cores = onto.image(field, cores), None
            pixels.append(blur.image(field, cores))
        return sum(pixels[1:], start=pixels[0])


@node
class Fourier:
    """The map for any kernel, by FFT on cells, a whole number of them to a pixel along either side.

    Attributes:
        kernel: W between the centre of a cell (or of a pixel, if `includes_pixel`) and a sample, by cells.
        sampling: how the samples lie.
        includes_pixel: the value is taken at the pixel centre instead of summed over the pixel.
    """

    kernel: jax.Array
    sampling: Sampling = static()
    includes_pixel: bool = static()

    def image(self, field: jax.Array, cores: Cores | None) -> jax.Array:
        """Gridded samples, (channels, Ny, Nx), and cores to pixels (channels, ny, nx)."""
        (along_y, along_x), margin = self.sampling.blurred_cells, self.sampling.margin
        rows, columns = (round(n / self.sampling.density) for n in field.shape[-2:])
        cells = settle(field, (rows * along_y, columns * along_x))
        if cores is not None:
            column, row = cores.positions(self.sampling)
            column, row = ((p + margin + 0.5) * s - 0.5 for p, s in ((column, along_x), (row, along_y)))
            reach = EXTENT * self.sampling.core_size * max(along_y, along_x)
            cells = spread(cells, column, row, cores.flux, reach)
        blurred = convolve(cells, self.kernel)
        if self.includes_pixel:
            pixels = blurred[:, along_y // 2 :: along_y, along_x // 2 :: along_x] * (along_y * along_x)
        else:
            pixels = block_sum(blurred, (along_y, along_x))
        return pixels[:, margin : pixels.shape[1] - margin, margin : pixels.shape[2] - margin]


def transfer(psf: PSF, grid: Grid, sampling: Sampling) -> Pyramid | Fourier:
    """The map from samples on `grid` (widened and oversampled as `sampling` says) to its pixels.

    Args:
        psf: see `instrument.psf`.
        grid: the detector's pixels.
        sampling: from `instrument.sampling.choose`, or by hand.

    Raises:
        InputError: if the PSF does not allow the route, or a kernel has no cell on the pixel's centre where it needs
            one.
    """
    form: Any = psf.form()
    if sampling.route == "fft":
        return Fourier(kernel=form.on_cells(grid, sampling), sampling=sampling, includes_pixel=form.includes_pixel)
    if form.route != sampling.route:
        raise InputError(
            f"The separable route needs a PSF made of Gaussians, found {type(psf).__name__}; choose route 'fft'."
        )
    return _pyramid(form, grid, sampling)


def _pyramid(form: Any, grid: Grid, sampling: Sampling) -> Pyramid:
    """The blur by a mixture, its wide components from coarser grids where `sampling` says so."""
    weights = jnp.asarray(form.weights)
    known = sampling.levels or (Level(0, tuple(range(len(weights))), math.inf),)
    sigmas = jnp.sqrt(form.variances)[:, None] / grid.steps[None, :]
    sources = _both(subpixel_line(n, density=sampling.density, margin=sampling.margin) for n in grid.shape)
    pixels, one = _both(Places(n) for n in grid.shape), jnp.ones(1, sigmas.dtype)
    done, onto, narrow = jnp.zeros_like(sigmas[:1]), [], []
    for number, level in enumerate(known):
        coarser = None
        if level.step:
            # Never less than what is done already, also where free widths change places.
            further = np.concatenate([each.components for each in known[number:]])
            before = 0.5 * jnp.min(sigmas[further], axis=0, keepdims=True) ** 2
            targets = _both(_coarse(n, level, sampling.margin) for n in grid.shape)
            width = jnp.sqrt(jnp.maximum(before - done, TINY * before))
            coarser = separable(one, width, sources, targets, level.spread, sampling, sampled=True)
            done, sources = before, targets
        rest = jnp.sqrt(sigmas[jnp.asarray(level.components)] ** 2 - done)
        parts = weights[jnp.asarray(level.components)]
        narrow.append(separable(parts, rest, sources, pixels, level.reach, sampling, sampled=form.includes_pixel))
        onto.append(coarser)
    return Pyramid(onto=tuple(onto), blurs=tuple(narrow))


def _coarse(n: int, level: Level, margin: int) -> Places:
    """The samples of a coarser grid along an axis of n pixels, which reach as far as light is brought from."""
    width = n + 2 * max(margin, level.spread)
    count = -(-width // level.step)
    return Places(count, 0.5 * (n - 1) - 0.5 * (count - 1) * level.step, level.step)


def _both(lines: Iterable[Places]) -> tuple[Places, Places]:
    """Along y and along x."""
    along_y, along_x = lines
    return along_y, along_x
