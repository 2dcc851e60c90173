"""The default likelihood: observed fluxes against reddened model fluxes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import Emission, emission
from jaxmetal.numerics.tree import node, static
from jaxmetal.spaxel import offsets as scatter
from jaxmetal.spaxel.branch import turnover


@node
class Fluxes:
    """f_d ~ N(Hb m_d(Z, A_V, offsets), sigma_d), independent, normalised.

    m_d is `lines.Emission`: reddened flux of feature d per unit of *observed* Hb, so that an uncertain A_V does not
    turn a flat prior of the normalisation into one that prefers dust. Each base ratio is off its calibration by
    scatter_k(Z) e_k with e_k ~ N(0, 1), shared by all features that depend on it. Negative fluxes are data like any
    other; a missing feature has a NaN flux or an infinite sigma.

    Attributes:
        emission: what one spaxel emits.
        hb_mean: mean of the exponential prior of a spaxel's observed Hb, in the unit of the fluxes; inf for a flat one.
        z_range: limits of the flat prior of 12 + log(O/H), shape (2,).
        a_v_range: limits of the flat prior of A(V), mag, shape (2,).
        turnover: Z that separates the branches (see `branch`); NaN where there is but one.
        features: order of the fluxes.
    """

    emission: Emission
    hb_mean: Any
    z_range: Any
    a_v_range: Any
    turnover: Any
    features: tuple[str, ...] = static()

    @property
    def prior(self) -> dict[str, Distribution]:
        """Of all parameters; `offsets` are in units of the calibrations' scatter."""
        flat = dist.ImproperUniform(dist.constraints.positive, (), ())
        return {
            "z": dist.Uniform(*self.z_range),
            "a_v": uniform(*self.a_v_range),
            "hb": dist.Exponential(1.0 / self.hb_mean) if np.isfinite(self.hb_mean) else flat,
            "offsets": dist.Normal(0.0, 1.0).expand([len(self.emission.calibrations)]).to_event(1),
        }

    def log_likelihood(
        self, flux: jax.Array, sigma: jax.Array, *, z: Any, a_v: Any, hb: Any, offsets: Any
    ) -> jax.Array:
        """Sum over features of log N(flux; hb m(z, a_v, offsets), sigma).

        Args:
            flux: shape (..., features), NaN where missing.
            sigma: same shape.
            z: 12 + log(O/H), shape (...).
            a_v: A(V), mag.
            hb: observed Hb, in the unit of the fluxes.
            offsets: in units of the scatter, shape (..., ratios).
        """
        used, flux, inverse = usable(flux, sigma)
        model = self.emission(z, a_v, offsets * self.emission.scatter(jnp.asarray(z)))
        residual = (flux - jnp.asarray(hb)[..., None] * model) * inverse
        log_norm = jnp.log(jnp.where(used, inverse, 1.0)) - 0.5 * math.log(2.0 * math.pi) * used
        return jnp.sum(log_norm - 0.5 * residual**2, axis=-1)

    def summed(self, spaxels: Any) -> Fluxes:
        """That of the summed fluxes of so many spaxels, whose Hb is `hb_mean` each."""
        return dataclasses.replace(self, hb_mean=self.hb_mean * spaxels)

    def log_marginal(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """log p(flux | Z, A_V): offsets and Hb integrated out; up to the constant of an improper prior.

        Args:
            flux: shape (features,).
            sigma: same.
            z: 12 + log(O/H).
            a_v: A(V), of a shape that broadcasts with it.
        """
        used, flux, inverse = usable(flux, sigma)
        found = scatter.marginal(self._expected(z, a_v), flux, inverse, 1.0 / self.hb_mean)
        log_norm = jnp.sum(jnp.log(jnp.where(used, inverse, 1.0)) - 0.5 * math.log(2.0 * math.pi) * used)
        proper = jnp.isfinite(self.hb_mean)
        return found.log_likelihood + log_norm - jnp.where(proper, jnp.log(jnp.where(proper, self.hb_mean, 1.0)), 0.0)

    def draw_hb(self, key: jax.Array, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """Intrinsic Hb, one draw per point (Z, A_V), from its posterior there."""
        _, flux, inverse = usable(flux, sigma)
        observed = scatter.draw(key, self._expected(z, a_v), flux, inverse, 1.0 / self.hb_mean)[1]
        return self.emission.intrinsic_hbeta(observed, a_v)

    def departures(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> dict[str, jax.Array]:
        """Ratio -> mean departure from its calibration at each point (Z, A(V)), in units of its scatter."""
        _, flux, inverse = usable(flux, sigma)
        mode = scatter.marginal(self._expected(z, a_v), flux, inverse, 1.0 / self.hb_mean).mode
        return {one.ratio.name: off for one, off in zip(self.emission.calibrations, mode, strict=True)}

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether a calibration that is used is beyond its valid range."""
        return self.emission.outside(z)

    def _expected(self, z: jax.Array, a_v: jax.Array) -> scatter.Expected:
        z, a_v = jnp.asarray(z), jnp.asarray(a_v)
        widths = [one.sigma(z) for one in self.emission.calibrations]
        return scatter.Expected(self.emission.each_line(z, a_v), widths, self.emission.powers, self.emission.weights)


def fluxes(
    features: Sequence[str] | Mapping[str, Any],
    calibrations: Any = "M08",
    *,
    z_range: tuple[float, float] = (7.0, 9.3),
    a_v_range: tuple[float, float] = (0.0, 4.0),
    hb_mean: float = math.inf,
    **options: Any,
) -> Fluxes:
    """The default likelihood for measured features.

    Args:
        features: lines and blends in the order of the fluxes, as for `lines.emission`.
        calibrations: a set or calibrations, as there.
        z_range: limits of the flat prior of 12 + log(O/H).
        a_v_range: limits of the flat prior of A(V), mag; equal where it is known, (0, 0) for dereddened fluxes.
        hb_mean: mean of an exponential prior of a spaxel's observed Hb, in the unit of the fluxes; flat by default. Of
            sums over n spaxels it is n times as much (`posterior`'s `spaxels`).
        **options: of `lines.emission`: law, r_v, temperature, scatter, doublets.

    Raises:
        InputError: if a range is empty, hb_mean is not positive, or `lines.emission` refuses the rest.
    """
    if not hb_mean > 0.0:
        raise InputError(f"hb_mean: expected a positive flux, found {hb_mean}; give the typical Hb, or leave it out.")
    made = emission(features, calibrations, **options)
    return Fluxes(
        emission=made,
        hb_mean=float(hb_mean),
        z_range=limits("z_range", z_range),
        a_v_range=extinction(a_v_range),
        turnover=turnover(made.calibrations),
        features=made.features,
    )


def limits(name: str, ends: tuple[float, float]) -> np.ndarray:
    """Ends of a flat prior.

    Raises:
        InputError: unless they are finite and increasing.
    """
    low, high = (float(end) for end in ends)
    if not -math.inf < low < high < math.inf:
        raise InputError(f"{name}: expected a lower and a higher end, found {tuple(ends)}; give (low, high).")
    return np.array([low, high])


def extinction(ends: tuple[float, float]) -> np.ndarray:
    """Ends of the flat prior of A(V), equal where it is known.

    Raises:
        InputError: unless they are finite and not decreasing.
    """
    low, high = (float(end) for end in ends)
    return np.array([low, high]) if low == high and math.isfinite(low) else limits("a_v_range", ends)


def uniform(low: Any, high: Any) -> Distribution:
    """The flat prior between ends; all of it in one place where they are equal."""
    return dist.Uniform(low, high) if low < high else dist.Delta(low)


def usable(flux: jax.Array, sigma: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Which features count, their fluxes (0 elsewhere) and inverse errors (0 elsewhere)."""
    flux, sigma = jnp.asarray(flux), jnp.asarray(sigma)
    used = jnp.isfinite(flux) & jnp.isfinite(sigma) & (sigma > 0.0)
    return used, jnp.where(used, flux, 0.0), jnp.where(used, 1.0 / jnp.where(used, sigma, 1.0), 0.0)
