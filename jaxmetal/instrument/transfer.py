"""From sub-pixel samples to detector pixels: the blur and the pixel in one linear map.

Both routes compute, for native pixel i and samples f_k (flux in a cell, arcsec^2 included) at positions x_k,

    value_i = sum_k W(x_i - x_k) f_k,     W = PSF * pixel,

on a widened frame (`margin`), so that light from outside blurs in and nothing wraps around.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.errors import InputError
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.cells import integrate_cells, settle
from jaxmetal.numerics.chebyshev import cardinals, nodes
from jaxmetal.numerics.fourier import block_sum, convolve
from jaxmetal.numerics.gaussian import density, pixel_integral
from jaxmetal.numerics.grid import Grid, subpixel_indices
from jaxmetal.numerics.spread import spread
from jaxmetal.numerics.tree import node, static

HIGHEST = jax.lax.Precision.HIGHEST


@node
class Points:
    """Samples off the grid, in one or more cores of equal extent.

    Attributes:
        column, row: fractional native pixel positions, shape (cores, P).
        flux: shape (channels, cores, P).
    """

    column: jax.Array
    row: jax.Array
    flux: jax.Array


@node
class Separable:
    """The exact map for a mixture of Gaussians: sum_k A_y f A_x^T, no FFT, relative precision kept in float32.

    Attributes:
        along_y: weights times W per component, shape (K, ny, Ny).
        along_x: shape (K, nx, Nx).
        weights: component weights, shape (K,).
        sigmas: component widths in pixels along x and y, shape (K, 2).
        includes_pixel: W is the PSF alone.
        core_order: see `Sampling`.
    """

    along_y: jax.Array
    along_x: jax.Array
    weights: jax.Array
    sigmas: jax.Array
    includes_pixel: bool = static()
    core_order: int = static(default=0)

    def apply(self, field: jax.Array) -> jax.Array:
        """Samples on the widened grid, (channels, Ny, Nx), to pixels (channels, ny, nx)."""
        half = jnp.einsum("kiy,cyx->ckix", self.along_y, field, precision=HIGHEST)
        return jnp.einsum("ckix,kjx->cij", half, self.along_x, precision=HIGHEST)

    def apply_points(self, points: Points) -> jax.Array:
        """Samples anywhere to pixels (channels, ny, nx)."""
        # The nodes' weights have both signs: in single precision, what they leave in the PSF's wings is round-off.
        if self.core_order and points.flux.dtype == jnp.float64:
            rows, columns, flux = _gather(points, self.core_order)
            along_y, along_x = self._respond(rows, columns)
            half = jnp.einsum("k,kilm,clmn->ckiln", self.weights, along_y, flux, precision=HIGHEST)
            return jnp.einsum("ckiln,kjln->cij", half, along_x, precision=HIGHEST)
        along_y, along_x = self._respond(points.row, points.column)
        weighted = jnp.einsum("k,kilp,clp->ckilp", self.weights, along_y, points.flux, precision=HIGHEST)
        return jnp.einsum("ckilp,kjlp->cij", weighted, along_x, precision=HIGHEST)

    def _respond(self, rows: jax.Array, columns: jax.Array) -> tuple[jax.Array, jax.Array]:
        """W along y and along x, shapes (K, ny, cores, samples) and (K, nx, cores, samples)."""
        along_y = _response(self.along_y.shape[1], rows.ravel(), self.sigmas[:, 1], self.includes_pixel)
        along_x = _response(self.along_x.shape[1], columns.ravel(), self.sigmas[:, 0], self.includes_pixel)
        return along_y.reshape(*along_y.shape[:2], *rows.shape), along_x.reshape(*along_x.shape[:2], *columns.shape)

    def image(self, field: jax.Array, points: Points | None) -> jax.Array:
        """Gridded samples and points together."""
        pixels = self.apply(field)
        return pixels if points is None else pixels + self.apply_points(points)


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

    def image(self, field: jax.Array, points: Points | None) -> jax.Array:
        """Gridded samples, (channels, Ny, Nx), and points to pixels (channels, ny, nx)."""
        s, margin = self.sampling.oversampling, self.sampling.margin
        cells = settle(field, self.sampling.subsamples)
        if points is not None:
            column, row = ((p + margin + 0.5) * s - 0.5 for p in (points.column, points.row))
            cells = spread(cells, column.ravel(), row.ravel(), points.flux.reshape(len(points.flux), -1))
        blurred = convolve(cells, self.kernel)
        pixels = blurred[:, s // 2 :: s, s // 2 :: s] * s**2 if self.includes_pixel else block_sum(blurred, s)
        return pixels[:, margin : pixels.shape[1] - margin, margin : pixels.shape[2] - margin]


def transfer(psf: Any, grid: Grid, sampling: Sampling) -> Separable | Fourier:
    """The map from samples on `grid` (widened and oversampled as `sampling` says) to its pixels.

    Args:
        psf: see `instrument.psf`.
        grid: the detector's pixels.
        sampling: from `instrument.sampling.choose`, or by hand.

    Raises:
        InputError: if the PSF does not allow the route, or a kernel has no cell on the pixel's centre where it needs
            one.
    """
    if sampling.route == "fft":
        kernel = _mixture_kernel(psf, grid, sampling) if hasattr(psf, "mixture") else _tabulated_kernel(psf, sampling)
        return Fourier(kernel=kernel, sampling=sampling, includes_pixel=psf.includes_pixel)
    if not hasattr(psf, "mixture"):
        raise InputError(
            f"The separable route needs a PSF made of Gaussians, found {type(psf).__name__}; choose route 'fft'."
        )
    weights, variances = psf.mixture()
    sigmas = jnp.sqrt(variances)[:, None] / grid.steps[None, :]
    positions = [
        jnp.asarray(subpixel_indices(n, oversampling=sampling.density, margin=sampling.margin)) for n in grid.shape
    ]
    along_y = _response(grid.shape[0], positions[0].astype(sigmas.dtype), sigmas[:, 1], psf.includes_pixel)
    along_x = _response(grid.shape[1], positions[1].astype(sigmas.dtype), sigmas[:, 0], psf.includes_pixel)
    return Separable(
        along_y=weights[:, None, None] * along_y,
        along_x=along_x,
        weights=weights,
        sigmas=sigmas,
        includes_pixel=psf.includes_pixel,
        core_order=sampling.core_order,
    )


def _gather(points: Points, order: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Moves the samples of each core to a grid of order x order nodes around it, where alone W must then be known.

    W varies smoothly across a core, hence W(x_i - x_p) = sum_m W(x_i - node m) l_m(x_p), to round-off. A core moves
    as a whole: its nodes carry the derivatives by its position, the l_m have none.

    Returns:
        Rows and columns of the nodes, shape (cores, order), and fluxes there, shape (channels, cores, order, order).
    """
    placed, tables = [], []
    for position in (points.row, points.column):
        centre = jnp.mean(position, axis=1, keepdims=True)
        offset = jax.lax.stop_gradient(position - centre)
        extent = jnp.max(jnp.abs(offset))
        placed.append(centre + extent * jnp.asarray(nodes(order), position.dtype))
        tables.append(jax.vmap(lambda x: cardinals(order, x))(offset / extent))
    flux = jnp.einsum("lmp,lnp,clp->clmn", *tables, points.flux, precision=HIGHEST)
    return placed[0], placed[1], flux


def _response(n: int, position: jax.Array, sigma: jax.Array, includes_pixel: bool) -> jax.Array:
    """W along one axis between n pixels and sample positions (pixels), shape (K, n, samples)."""
    offset = jnp.arange(n, dtype=position.dtype)[None, :, None] - position[None, None, :]
    line = density if includes_pixel else pixel_integral
    return line(offset, sigma[:, None, None])


def _mixture_kernel(psf: Any, grid: Grid, sampling: Sampling) -> jax.Array:
    """W of a mixture of Gaussians between all cells of the widened grid: nothing is cut off."""
    s = sampling.oversampling
    weights, variances = psf.mixture()
    sigmas = jnp.sqrt(variances)[:, None] / grid.steps[None, :] * s
    # With an even number of cells, the pixel's centre lies half a cell before the cell whose value is taken.
    shift = 0.5 if psf.includes_pixel and s % 2 == 0 else 0.0
    line = density if psf.includes_pixel else pixel_integral
    spans = [(n + 2 * sampling.margin) * s - 1 for n in grid.shape]
    along_y, along_x = (
        line(jnp.arange(-span, span + 1, dtype=sigmas.dtype)[None, :] - shift, sigmas[:, axis, None])
        for axis, span in zip((1, 0), spans, strict=True)
    )
    return jnp.einsum("k,ki,kj->ij", weights, along_y, along_x, precision=HIGHEST)


def _tabulated_kernel(psf: Any, sampling: Sampling) -> jax.Array:
    """Samples of an effective PSF as they are; those of an optical PSF integrated over the cell around each."""
    if not psf.includes_pixel:
        return integrate_cells(jnp.asarray(psf.values))
    if sampling.oversampling % 2 == 0:
        raise InputError(
            "A kernel that includes the pixel needs a cell on the pixel's centre, but has "
            f"{sampling.oversampling} cells per pixel; resample it to an odd number."
        )
    return jnp.asarray(psf.values)
