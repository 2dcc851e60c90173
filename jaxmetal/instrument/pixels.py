"""From sub-pixel samples to detector pixels: the blur and the pixel in one linear map.

Both routes compute, for native pixel i and samples f_k (flux in a cell, arcsec^2 included) at positions x_k,

    value_i = sum_k W(x_i - x_k) f_k,     W = PSF * pixel,

on a widened frame (`margin`), so that light from outside blurs in and nothing wraps around.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.psf import PSF
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.cells import settle
from jaxmetal.numerics.chebyshev import cardinals, nodes
from jaxmetal.numerics.cusp import EXTENT, polar_nodes
from jaxmetal.numerics.fourier import block_sum, convolve
from jaxmetal.numerics.gaussian import density, pixel_integral
from jaxmetal.numerics.grid import Grid, subpixel_indices
from jaxmetal.numerics.spread import spread
from jaxmetal.numerics.tree import node, static

HIGHEST = jax.lax.Precision.HIGHEST


@node
class Cores:
    """Samples at the polar nodes (`Sampling.core_nodes`) around the cusps of one or more lights.

    Attributes:
        column, row: fractional native pixel positions of the cusps, shape (cores,).
        flux: shape (channels, cores, nodes).
    """

    column: jax.Array
    row: jax.Array
    flux: jax.Array

    def positions(self, sampling: Sampling) -> tuple[jax.Array, jax.Array]:
        """Columns and rows of the samples, each of shape (cores, nodes)."""
        dx, dy, _ = polar_nodes(*sampling.core_nodes, sampling.core_size)
        return self.column[:, None] + dx.astype(self.column.dtype), self.row[:, None] + dy.astype(self.row.dtype)


@node
class Separable:
    """The exact map for a mixture of Gaussians: sum_k A_y f A_x^T, no FFT, relative precision kept in float32.

    Attributes:
        along_y: weights times W per component, shape (K, ny, Ny).
        along_x: shape (K, nx, Nx).
        weights: component weights, shape (K,).
        sigmas: component widths in pixels along x and y, shape (K, 2).
        sampling: how the samples lie.
        includes_pixel: W is the PSF alone.
    """

    along_y: jax.Array
    along_x: jax.Array
    weights: jax.Array
    sigmas: jax.Array
    sampling: Sampling = static()
    includes_pixel: bool = static()

    def apply(self, field: jax.Array) -> jax.Array:
        """Samples on the widened grid, (channels, Ny, Nx), to pixels (channels, ny, nx)."""
        half = jnp.einsum("kiy,cyx->ckix", self.along_y, field, precision=HIGHEST)
        return jnp.einsum("ckix,kjx->cij", half, self.along_x, precision=HIGHEST)

    def apply_cores(self, cores: Cores) -> jax.Array:
        """Samples around cusps to pixels (channels, ny, nx)."""
        # The nodes' weights have both signs: in single precision, what they leave in the PSF's wings is round-off.
        if self.sampling.core_order and cores.flux.dtype == jnp.float64:
            columns, rows, flux = _gather(cores, self.sampling)
            along_y, along_x = self._respond(rows, columns)
            half = jnp.einsum("k,kilm,clmn->ckiln", self.weights, along_y, flux, precision=HIGHEST)
            return jnp.einsum("ckiln,kjln->cij", half, along_x, precision=HIGHEST)
        columns, rows = cores.positions(self.sampling)
        along_y, along_x = self._respond(rows, columns)
        weighted = jnp.einsum("k,kilp,clp->ckilp", self.weights, along_y, cores.flux, precision=HIGHEST)
        return jnp.einsum("ckilp,kjlp->cij", weighted, along_x, precision=HIGHEST)

    def _respond(self, rows: jax.Array, columns: jax.Array) -> tuple[jax.Array, jax.Array]:
        """W along y and along x, shapes (K, ny, cores, samples) and (K, nx, cores, samples)."""
        along_y = _response(self.along_y.shape[1], rows.ravel(), self.sigmas[:, 1], self.includes_pixel)
        along_x = _response(self.along_x.shape[1], columns.ravel(), self.sigmas[:, 0], self.includes_pixel)
        return along_y.reshape(*along_y.shape[:2], *rows.shape), along_x.reshape(*along_x.shape[:2], *columns.shape)

    def image(self, field: jax.Array, cores: Cores | None) -> jax.Array:
        """Gridded samples and cores together."""
        pixels = self.apply(field)
        return pixels if cores is None else pixels + self.apply_cores(cores)


@node
class Fourier:
    """The map for any kernel, by FFT on cells of 1 / oversampling pixels.

    Attributes:
        kernel: W between the centre of a cell (or of a pixel, if `includes_pixel`) and a sample, by cells; odd shape.
        sampling: how the samples lie.
        includes_pixel: the value is taken at the pixel centre instead of summed over the pixel.
    """

    kernel: jax.Array
    sampling: Sampling = static()
    includes_pixel: bool = static()

    def image(self, field: jax.Array, cores: Cores | None) -> jax.Array:
        """Gridded samples, (channels, Ny, Nx), and cores to pixels (channels, ny, nx)."""
        s, margin = self.sampling.oversampling, self.sampling.margin
        cells = settle(field, self.sampling.subsamples)
        if cores is not None:
            column, row = ((p + margin + 0.5) * s - 0.5 for p in cores.positions(self.sampling))
            cells = spread(cells, column.ravel(), row.ravel(), cores.flux.reshape(len(cores.flux), -1))
        blurred = convolve(cells, self.kernel)
        pixels = blurred[:, s // 2 :: s, s // 2 :: s] * s**2 if self.includes_pixel else block_sum(blurred, s)
        return pixels[:, margin : pixels.shape[1] - margin, margin : pixels.shape[2] - margin]


def transfer(psf: PSF, grid: Grid, sampling: Sampling) -> Separable | Fourier:
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
    sigmas = jnp.sqrt(form.variances)[:, None] / grid.steps[None, :]
    positions = [jnp.asarray(subpixel_indices(n, density=sampling.density, margin=sampling.margin)) for n in grid.shape]
    along_y = _response(grid.shape[0], positions[0].astype(sigmas.dtype), sigmas[:, 1], form.includes_pixel)
    along_x = _response(grid.shape[1], positions[1].astype(sigmas.dtype), sigmas[:, 0], form.includes_pixel)
    return Separable(
        along_y=form.weights[:, None, None] * along_y,
        along_x=along_x,
        weights=form.weights,
        sigmas=sigmas,
        sampling=sampling,
        includes_pixel=form.includes_pixel,
    )


def _gather(cores: Cores, sampling: Sampling) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Moves the samples of each core to a grid of order x order nodes around it, where alone W must then be known.

    W varies smoothly across a core, hence W(x_i - x_p) = sum_m W(x_i - node m) l_m(x_p), to round-off.

    Returns:
        Columns and rows of the nodes, shape (cores, order), and fluxes there, shape (channels, cores, order, order).
    """
    order, extent = sampling.core_order, EXTENT * sampling.core_size
    dx, dy, _ = polar_nodes(*sampling.core_nodes, sampling.core_size)
    flux = jnp.einsum(
        "mp,clp,np->clmn", cardinals(order, dy / extent), cores.flux, cardinals(order, dx / extent), precision=HIGHEST
    )
    around = extent * nodes(order)
    return cores.column[:, None] + around, cores.row[:, None] + around, flux


def _response(n: int, position: jax.Array, sigma: jax.Array, includes_pixel: bool) -> jax.Array:
    """W along one axis between n pixels and sample positions (pixels), shape (K, n, samples)."""
    offset = jnp.arange(n, dtype=position.dtype)[None, :, None] - position[None, None, :]
    line = density if includes_pixel else pixel_integral
    return line(offset, sigma[:, None, None])
