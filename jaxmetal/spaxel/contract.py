"""What every likelihood of a spaxel's line fluxes is."""

from __future__ import annotations

from typing import Any, Protocol

import jax
from numpyro.distributions import Distribution


class Likelihood(Protocol):
    """A node (`numerics.tree.node`); no base class is needed.

    Attributes:
        features: lines and blends, in the order of the fluxes.
        prior: of all parameters, by name.
        z_range: limits of the flat prior of 12 + log(O/H), shape (2,).
        a_v_range: limits of that of A(V), mag, shape (2,); equal where it is known.
        turnover: Z that separates the branches; NaN where there is but one.
    """

    @property
    def features(self) -> tuple[str, ...]:
        """Lines and blends, in the order of the fluxes."""

    @property
    def prior(self) -> dict[str, Distribution]:
        """Of all parameters, by name."""

    @property
    def z_range(self) -> Any:
        """Limits of the flat prior of 12 + log(O/H)."""

    @property
    def a_v_range(self) -> Any:
        """Limits of the flat prior of A(V), mag."""

    @property
    def turnover(self) -> Any:
        """Z that separates the branches."""

    @property
    def log_likelihood(self) -> Any:
        """Called with fluxes, errors and every parameter of the prior by name: the log density, a number."""

    def summed(self, spaxels: Any) -> Likelihood:
        """That of the summed fluxes of so many spaxels: what is said of the Hb of one holds for each of them."""

    def log_marginal(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """The same with all but Z and A(V) integrated out, up to a constant."""

    def draw_hb(self, key: jax.Array, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """Intrinsic Hb, one draw per point (Z, A(V)), from its posterior there."""

    def departures(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> dict[str, jax.Array]:
        """Ratio -> mean departure from its calibration at each point (Z, A(V)), in units of its scatter."""

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether a calibration that is used is beyond its valid range."""
