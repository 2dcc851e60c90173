"""A lens known by its deflection maps."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.interpolate import bilinear, cubic
from jaxmetal.numerics.tree import node, parameter, static

INTERPOLATORS = {"bilinear": bilinear, "cubic": cubic}


@node
class Tabulated:
    """Deflection maps on a pixel grid, interpolated between pixel centres.

    The deflection is interpolated, never the source position: it is the smooth one of the two. "cubic" has a
    continuous Jacobian; with "bilinear" the magnification jumps at pixel borders.

    Positions that the maps do not cover give NaN, so that coverage can be checked once, before a fit. Gradients
    with respect to `scale` and the maps stay finite there: NaN is put in last, by a selection whose other branch is
    finite, so that uncovered positions contribute exactly zero, whatever cotangent flows back into them.

    Attributes:
        alpha_x: reduced deflection to the West, arcsec, shape (ny, nx).
        alpha_y: reduced deflection to the North, arcsec, shape (ny, nx).
        grid: where the pixels of the maps lie.
        scale: factor on both maps: D_LS/D_S at the source over D_LS/D_S of the maps, times any nuisance factor.
        interpolation: "cubic" or "bilinear".
    """

    alpha_x: jax.Array | np.ndarray = parameter("arcsec", role="deflection")
    alpha_y: jax.Array | np.ndarray = parameter("arcsec", role="deflection")
    grid: Grid
    scale: float | jax.Array = parameter("", role="factor", default=1.0)
    interpolation: Literal["bilinear", "cubic"] = static(default="cubic")

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec; NaN outside the maps."""
        column, row = self.grid.to_pixel(x, y)
        maps = jnp.stack([jnp.asarray(self.alpha_x), jnp.asarray(self.alpha_y)])
        alpha = INTERPOLATORS[self.interpolation](maps, column, row, outside=jnp.nan)
        covered = jnp.isfinite(alpha)
        scaled = jnp.where(covered, self.scale * jnp.where(covered, alpha, 0.0), jnp.nan)
        return scaled[0], scaled[1]
