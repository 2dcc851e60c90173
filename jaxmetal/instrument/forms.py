"""The two forms that a point-spread function takes before it is applied: a mixture of Gaussians, or a kernel of cells.

Both say how wide they are, how far they reach, by which route they are applied (see `instrument.sampling.Sampling`),
and what they are on the cells of a detector.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.cells import integrate_cells
from jaxmetal.numerics.gaussian import density, pixel_integrals
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static

FWHM_PER_SIGMA = 2.3548200450309493
"""FWHM of a Gaussian over its standard deviation, 2 sqrt(2 ln 2)."""

TAIL = 4e-4
"""Share of the PSF's light beyond its reach."""

SAME_STEP = 0.01
"""Relative departure of a kernel's cells from a whole part of the pixel that is still none."""

OFF_CENTRE = 0.05
"""Largest distance of a kernel's centroid from its middle, pixels."""

Radial = tuple[np.ndarray, np.ndarray]


@node
class Mixture:
    """A sum of concentric circular Gaussians.

    Attributes:
        weights: shape (K,), summing to 1.
        variances: arcsec^2, shape (K,).
        includes_pixel: the widths are those of the effective PSF, pixel included.
    """

    weights: Any = parameter("")
    variances: Any = parameter("arcsec^2")
    includes_pixel: bool = static(default=False)

    route: ClassVar[str] = "separable"

    def form(self) -> Mixture:
        """Itself."""
        return self

    def sigmas(self, steps: np.ndarray) -> np.ndarray:
        """Standard deviations of the Gaussians in pixels whose sides are `steps` (arcsec), shape (K, 2)."""
        return np.sqrt(np.asarray(self.variances, float))[:, None] / np.asarray(steps)

    @property
    def fwhm(self) -> float:
        """Where the radial profile falls to half its peak at last, arcsec."""
        return _full_width(self._radial())

    def peak_width(self) -> float:
        """FWHM of the Gaussian with the same peak, arcsec: sigma^2 = 1 / (2 pi peak). That of a Moffat is wider."""
        return FWHM_PER_SIGMA * float((self.weights / self.variances).sum()) ** -0.5

    def reach(self) -> float:
        """Radius that holds all but `TAIL` of the light, arcsec."""
        weights, variances = np.asarray(self.weights), np.asarray(self.variances)
        radii = np.geomspace(0.1, 30.0, 400) * np.sqrt(variances.max())
        outside = (weights * np.exp(-0.5 * radii[:, None] ** 2 / variances)).sum(axis=1)
        return float(radii[np.argmax(outside < TAIL)])

    def cells_per_pixel(self, steps: np.ndarray) -> None:
        """Any number."""
        return

    def on_cells(self, grid: Grid, sampling: Sampling) -> jax.Array:
        """W, the PSF times the pixel, between all cells of the widened grid: nothing is cut off."""
        counts = sampling.blurred_cells
        sigmas = jnp.sqrt(self.variances)[:, None] / grid.steps[None, :] * jnp.asarray(counts[::-1])

        def along(axis: int, n: int, count: int) -> jax.Array:
            # With an even number of cells, the pixel's centre lies half a cell before the cell whose value is taken.
            shift = 0.5 if self.includes_pixel and count % 2 == 0 else 0.0
            span = (n + 2 * sampling.margin) * count - 1
            offset, sigma = jnp.arange(-span, span + 1, dtype=sigmas.dtype)[None, :] - shift, sigmas[:, axis, None]
            if self.includes_pixel:
                return density(offset, sigma)
            edges = jnp.arange(-span, span + 2, dtype=sigmas.dtype)[None, :] - 0.5
            return pixel_integrals(edges, sigma, axis=1)

        along_y, along_x = (along(*one) for one in zip((1, 0), grid.shape, counts, strict=True))
        return jnp.einsum("k,ki,kj->ij", self.weights, along_y, along_x, precision=jax.lax.Precision.HIGHEST)

    def _radial(self) -> Radial:
        weights, variances = (np.asarray(a, float) for a in (self.weights, self.variances))
        squares = np.concatenate([[0.0], np.geomspace(1e-2 * variances.min(), 1e2 * variances.max(), 400)])
        return squares, (weights / variances * np.exp(-0.5 * squares[:, None] / variances)).sum(axis=1)


@node
class Kernel:
    """A tabulated kernel.

    Attributes:
        values: the PSF at the centres of the cells, shape (ky, kx), summing to 1. Its centre is the middle of the
            array, so that even sides need an even number of cells per pixel (`io.psf` checks and reads one from FITS).
        step: cell size of the kernel, arcsec; cells are square, whatever the pixels.
        includes_pixel: True for an empirical (effective) PSF, sampled from stars; False for an optical one.
    """

    values: Any = parameter("")
    step: Any = parameter("arcsec", within="(0, inf)", role="step")
    includes_pixel: bool = static()

    route: ClassVar[str] = "fft"

    def form(self) -> Kernel:
        """Itself."""
        return self

    @property
    def fwhm(self) -> float:
        """Where the radial mean falls to half the peak at last, arcsec; twice the radius of the corners if nowhere."""
        return _full_width(self._radial())

    def peak_width(self) -> float:
        """FWHM of the Gaussian with the same peak, arcsec."""
        peak = max(float(np.max(self.values)), float(self._radial()[1][0]))
        return FWHM_PER_SIGMA * float(self.step) * (2.0 * np.pi * peak) ** -0.5

    def reach(self) -> float:
        """Half its size, arcsec."""
        return 0.5 * float(self.step) * max(np.shape(self.values))

    def sigmas(self, steps: np.ndarray) -> None:
        """It consists of no Gaussians."""
        return

    def cells_per_pixel(self, steps: np.ndarray) -> tuple[int, int]:
        """How many of its cells lie along a pixel, whose sides along x and y are `steps` (arcsec): along y and x.

        Raises:
            InputError: if that is no whole number, or the middle of the kernel cannot lie on that of a pixel.
        """
        across, along = (float(side) for side in steps)
        counts = round(along / float(self.step)), round(across / float(self.step))
        if min(counts) < 1 or any(
            abs(count * float(self.step) / side - 1.0) > SAME_STEP
            for count, side in zip(counts, (along, across), strict=True)
        ):
            raise InputError(
                f"The PSF kernel's cells ({float(self.step):.4g} arcsec) must divide the pixel "
                f"({across:.4g} x {along:.4g} arcsec) a whole number of times along each side; resample the kernel, or "
                "give a PSF with a formula."
            )
        self._require_middle(counts)
        return counts

    def require_centred(self, cells: tuple[int, int]) -> None:
        """Refuses a kernel whose centroid is off its middle, by which it would shift what it blurs.

        Args:
            cells: along a pixel, along y and x.

        Raises:
            InputError: saying by how many pixels.
        """
        values = np.asarray(self.values)
        rows, columns = (np.arange(n) - (n - 1) / 2 for n in values.shape)
        y, x = float(values.sum(1) @ rows) / cells[0], float(values.sum(0) @ columns) / cells[1]
        if np.hypot(x, y) > OFF_CENTRE:
            raise InputError(
                f"The PSF kernel must be centred to {OFF_CENTRE} pixel, but its centroid is off by {x:+z.3f} (column) "
                f"and {y:+z.3f} (row) data pixels; shift it, or subtract its background."
            )

    def on_cells(self, grid: Grid, sampling: Sampling) -> jax.Array:
        """Samples of an effective PSF as they are; those of an optical PSF integrated over the cell around each.

        Raises:
            InputError: as `cells_per_pixel`.
        """
        self._require_middle(sampling.blurred_cells)
        return jnp.asarray(self.values) if self.includes_pixel else integrate_cells(jnp.asarray(self.values))

    def _require_middle(self, counts: tuple[int, int]) -> None:
        """Refuses sides whose middle is not where the pixel's centre is: on a cell, or between two."""
        shape = np.shape(self.values)
        both = list(zip(shape, counts, strict=True))
        if any(side % 2 == 0 and count % 2 == 1 for side, count in both):
            raise InputError(
                "A PSF kernel must have odd sides for an odd oversampling, so that its middle is a cell, but has shape "
                f"{shape} and {counts[0]} x {counts[1]} cells to a pixel; resample it (cropping a row moves the centre "
                "by half a cell)."
            )
        if self.includes_pixel and any(side % 2 == 1 and count % 2 == 0 for side, count in both):
            raise InputError(
                "A PSF kernel of odd sides that includes the pixel must have an odd oversampling, so that a cell is on "
                f"the pixel's centre, but has {counts[0]} x {counts[1]} cells to a pixel; resample it."
            )

    def _radial(self) -> Radial:
        values = np.asarray(self.values, float)
        rows, columns = (np.arange(n) - 0.5 * (n - 1) for n in values.shape)
        squares, index = np.unique(rows[:, None] ** 2 + columns**2, return_inverse=True)
        mean = np.bincount(index.ravel(), values.ravel()) / np.bincount(index.ravel())
        if squares[0] > 0.0 and min(mean[:2]) > 0.0:
            # No cell is on the centre: the peak is that of the Gaussian through the innermost.
            slope = np.log(mean[1] / mean[0]) / (squares[1] - squares[0])
            squares, mean = np.append(0.0, squares), np.append(mean[0] * np.exp(-slope * squares[0]), mean)
        return float(self.step) ** 2 * squares, mean


def _full_width(radial: Radial) -> float:
    """From squared radii that rise from 0, arcsec^2, and the mean value there."""
    squares, values = radial
    # The logarithm of a Gaussian is a straight line in r^2.
    logarithms = np.log(np.maximum(values / values.max(), 1e-300))
    last = int(np.flatnonzero(logarithms >= np.log(0.5))[-1])
    if last == len(squares) - 1:
        return 2.0 * float(np.sqrt(squares[last]))
    part = (np.log(0.5) - logarithms[last]) / (logarithms[last + 1] - logarithms[last])
    return 2.0 * float(np.sqrt(squares[last] + part * (squares[last + 1] - squares[last])))
