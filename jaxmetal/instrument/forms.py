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
        s = sampling.oversampling
        sigmas = jnp.sqrt(self.variances)[:, None] / grid.steps[None, :] * s
        # With an even number of cells, the pixel's centre lies half a cell before the cell whose value is taken.
        shift = 0.5 if self.includes_pixel and s % 2 == 0 else 0.0
        spans = [(n + 2 * sampling.margin) * s - 1 for n in grid.shape]

        def along(axis: int, span: int) -> jax.Array:
            offset, sigma = jnp.arange(-span, span + 1, dtype=sigmas.dtype)[None, :] - shift, sigmas[:, axis, None]
            if self.includes_pixel:
                return density(offset, sigma)
            edges = jnp.arange(-span, span + 2, dtype=sigmas.dtype)[None, :] - 0.5
            return pixel_integrals(edges, sigma, axis=1)

        along_y, along_x = (along(axis, span) for axis, span in zip((1, 0), spans, strict=True))
        return jnp.einsum("k,ki,kj->ij", self.weights, along_y, along_x, precision=jax.lax.Precision.HIGHEST)

    def _radial(self) -> Radial:
        weights, variances = (np.asarray(a, float) for a in (self.weights, self.variances))
        squares = np.concatenate([[0.0], np.geomspace(1e-2 * variances.min(), 1e2 * variances.max(), 400)])
        return squares, (weights / variances * np.exp(-0.5 * squares[:, None] / variances)).sum(axis=1)


@node
class Kernel:
    """A tabulated kernel.

    Attributes:
        values: the PSF at the centres of the cells, shape (ky, kx), odd, centred, summing to 1 (`io.psf` checks and
            reads one from FITS).
        step: cell size of the kernel, arcsec.
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
        return FWHM_PER_SIGMA * float(self.step) * (2.0 * np.pi * float(np.max(self.values))) ** -0.5

    def reach(self) -> float:
        """Half its size, arcsec."""
        return 0.5 * float(self.step) * max(np.shape(self.values))

    def sigmas(self, steps: np.ndarray) -> None:
        """It consists of no Gaussians."""
        return

    def cells_per_pixel(self, steps: np.ndarray) -> int:
        """How many of its cells lie along a pixel, whose sides are `steps` (arcsec).

        Raises:
            InputError: if that is no whole number, or not the same along both sides.
        """
        across, along = (float(side) for side in steps)
        count = round(across / float(self.step))
        if count < 1 or any(abs(count * float(self.step) / side - 1.0) > SAME_STEP for side in (across, along)):
            raise InputError(
                f"The PSF kernel's cells ({float(self.step):.4g} arcsec) must divide the pixel "
                f"({across:.4g} x {along:.4g} arcsec) a whole number of times, the same along both sides; "
                "resample the kernel, or give oblong pixels a PSF with a formula."
            )
        return count

    def on_cells(self, grid: Grid, sampling: Sampling) -> jax.Array:
        """Samples of an effective PSF as they are; those of an optical PSF integrated over the cell around each.

        Raises:
            InputError: if an effective PSF has no cell on the pixel's centre.
        """
        if not self.includes_pixel:
            return integrate_cells(jnp.asarray(self.values))
        if sampling.oversampling % 2 == 0:
            raise InputError(
                "A kernel that includes the pixel needs a cell on the pixel's centre, but has "
                f"{sampling.oversampling} cells per pixel; resample it to an odd number."
            )
        return jnp.asarray(self.values)

    def _radial(self) -> Radial:
        values = np.asarray(self.values, float)
        rows, columns = (np.arange(n) - n // 2 for n in values.shape)
        squares, index = np.unique(rows[:, None] ** 2 + columns**2, return_inverse=True)
        mean = np.bincount(index.ravel(), values.ravel()) / np.bincount(index.ravel())
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
