"""The exact blur by a mixture of Gaussians: one small matrix along each axis, no FFT."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxmetal.instrument.cores import HIGHEST, Cores
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.bands import Bands, Places, along_first, along_last, cut, windows
from jaxmetal.numerics.cusp import EXTENT
from jaxmetal.numerics.gaussian import density, pixel_integrals
from jaxmetal.numerics.patches import put
from jaxmetal.numerics.tree import node, static


@node
class Separable:
    """sum_k A_y f A_x^T over some components k of a mixture; relative precision is kept in float32.

    What is computed are integrals over cells around regular target points: pixels, or the samples of a coarser grid.

    Attributes:
        along_y: weights times W per component, cut as `bands[0]` says, shape (K, size, window).
        along_x: W per component, cut as `bands[1]` says.
        weights: component weights, shape (K,).
        sigmas: component widths in pixels along x and y, shape (K, 2).
        bands: how the matrices along y and along x are cut.
        targets: the targets along y and along x, in pixels.
        reach: radius in pixels beyond which W is nothing.
        sampling: how the samples lie.
        sampled: W is the Gaussian at the target's centre times the cell, not its integral over the cell.
    """

    along_y: jax.Array
    along_x: jax.Array
    weights: jax.Array
    sigmas: jax.Array
    bands: tuple[Bands, Bands] = static()
    targets: tuple[Places, Places] = static()
    reach: float = static()
    sampling: Sampling = static()
    sampled: bool = static()

    def apply(self, field: jax.Array) -> jax.Array:
        """Gridded samples, (channels, Ny, Nx), to targets (channels, ny, nx)."""
        return self._one(field) if len(self.weights) == 1 else self._several(field)

    def _one(self, field: jax.Array) -> jax.Array:
        """By products with all that a stretch of samples lights up, which copy nothing."""
        along_y, along_x = self.bands
        low, high = along_y.span(field.shape[1])
        # One channel at a time: a stack of them is not cut into stretches as fast.
        rows = jnp.stack([along_last(self.along_x[0], channel[low:high], along_x) for channel in field])
        return along_first(self.along_y[0], rows, along_y, low)

    def _several(self, field: jax.Array) -> jax.Array:
        """By products with all that lights a block of targets up, which are deep: all components at once."""
        channels, k, (ny, nx) = len(field), len(self.weights), (line.count for line in self.targets)
        along_y, along_x = self.bands
        low, high = along_y.span(field.shape[1])
        # The order of axes is that in which both products come out of a matrix product, without a copy before it.
        rows = windows(field[:, low:high], along_x)
        half = jnp.einsum("cybw,kjw->cybkj", rows, self.along_x, precision=HIGHEST)
        half = half.transpose(0, 2, 4, 3, 1).reshape(channels, -1, k, high - low)[:, :nx]
        columns = windows(half, along_y, low).swapaxes(2, 3)
        full = jnp.einsum("cxbkw,kjw->cxbj", columns, self.along_y, precision=HIGHEST)
        return full.reshape(channels, nx, -1)[..., :ny].swapaxes(1, 2)

    def apply_cores(self, cores: Cores) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Samples around cusps to the targets that the blur carries light to: patches (cores, channels, n, m).

        Returns:
            The patches, and the row and the column where each of them begins, shape (cores,).
        """
        top, left = self._corner(0, cores.row), self._corner(1, cores.column)
        near, patches = cores.near(self.sampling), []
        if near:
            columns, rows, flux = cores.gathered(self.sampling)
            along_y, along_x = self._respond(0, top, rows), self._respond(1, left, columns)
            half = jnp.einsum("k,kilm,clmn->ckiln", self.weights, along_y, flux, precision=HIGHEST)
            patches.append(jnp.einsum("ckiln,kjln->lcij", half, along_x, precision=HIGHEST))
        if near < cores.flux.shape[-1]:
            columns, rows, flux = cores.rest(self.sampling)
            along_y, along_x = self._respond(0, top, rows), self._respond(1, left, columns)
            weighted = jnp.einsum("k,kilp,clp->lckip", self.weights, along_y, flux, precision=HIGHEST)
            patches.append(jnp.einsum("lckip,kjlp->lcij", weighted, along_x, precision=HIGHEST))
        return sum(patches[1:], start=patches[0]), top, left

    def image(self, field: jax.Array, cores: Cores | None) -> jax.Array:
        """Gridded samples and cores together."""
        seen = self.apply(field)
        return seen if cores is None else put(seen, *self.apply_cores(cores))

    def _near(self, axis: int) -> int:
        """Targets along an axis that a core lights up at most."""
        line = self.targets[axis]
        return int(min(line.count, 2.0 * self._radius() / line.step + 1.0))

    def _radius(self) -> float:
        return EXTENT * self.sampling.core_size + self.reach

    def _corner(self, axis: int, centre: jax.Array) -> jax.Array:
        """The first target along an axis that a core lights up, shape (cores,); they are `_near(axis)`."""
        line, near = self.targets[axis], self._near(axis)
        if near == line.count:
            return jnp.zeros(centre.shape, int)
        first = jnp.ceil((jax.lax.stop_gradient(centre) - self._radius() - line.start) / line.step)
        return jnp.clip(first, 0, line.count - near).astype(int)

    def _respond(self, axis: int, corner: jax.Array, positions: jax.Array) -> jax.Array:
        """W along y (axis 0) or x (1) of the targets from the corner on, shape (K, targets, cores, samples)."""
        line = self.targets[axis]
        away = (positions - (line.start + line.step * corner[:, None])).ravel()
        near = Places(self._near(axis), 0.0, line.step)
        found = _response(near, away, self.sigmas[:, 1 - axis], self.sampled)
        return found.reshape(*found.shape[:2], *positions.shape)


def separable(
    weights: jax.Array,
    sigmas: jax.Array,
    sources: tuple[Places, Places],
    targets: tuple[Places, Places],
    reach: float,
    sampling: Sampling,
    sampled: bool,
) -> Separable:
    """The blur from sources that lie on lines along y and x, in pixels; the rest as the attributes of `Separable`."""
    bands = [cut(target, source, reach) for target, source in zip(targets, sources, strict=True)]
    along_y, along_x = (
        _response(
            dataclasses.replace(targets[axis], count=band.size),
            jnp.asarray(band.seen(sources[axis]), sigmas.dtype),
            sigmas[:, 1 - axis],
            sampled,
        )
        for axis, band in enumerate(bands)
    )
    return Separable(
        along_y=weights[:, None, None] * along_y,
        along_x=along_x,
        weights=weights,
        sigmas=sigmas,
        bands=(bands[0], bands[1]),
        targets=targets,
        reach=reach,
        sampling=sampling,
        sampled=sampled,
    )


def _response(targets: Places, position: jax.Array, sigma: jax.Array, sampled: bool) -> jax.Array:
    """W along one axis between targets and sample positions (pixels), shape (K, targets, samples)."""
    points = (
        targets.points
        if sampled
        else Places(targets.count + 1, targets.start - 0.5 * targets.step, targets.step).points
    )
    offset = jnp.asarray(points, position.dtype)[None, :, None] - position[None, None, :]
    widths = sigma[:, None, None]
    return density(offset, widths) * targets.step if sampled else pixel_integrals(offset, widths, axis=1)
