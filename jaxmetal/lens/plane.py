"""Deflectors of one plane, together, for one source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.numerics.tree import node, parameter


@node
class Plane:
    """The sum of deflectors, as a source behind them sees it: distance_ratio sum_i alpha_i.

        Plane(parts=scene.lens, distance_ratio=scene.sources["disc"].distance_ratio)

    Attributes:
        parts: name -> lens.
        distance_ratio: D_LS/D_S of the source over that for which the deflections are.
    """

    parts: Mapping[str, Any]
    distance_ratio: Any = parameter("", within="[0, inf)", role="factor", default=1.0)

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec; NaN where one of them is."""
        alphas = [jnp.stack(jnp.broadcast_arrays(*lens(x, y))) for lens in self.parts.values()]
        total = sum(alphas, jnp.zeros((2, *jnp.shape(x))))
        known = jnp.isfinite(total)
        scaled = jnp.where(known, self.distance_ratio * jnp.where(known, total, 0.0), jnp.nan)
        return scaled[0], scaled[1]
