"""The likelihood of log line ratios, which Patricio et al. 2019 and Curti et al. 2020 have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import number
from jaxmetal.lines import RATIOS, Calibration, Ratio, dust_law, line
from jaxmetal.lines.contents import blends
from jaxmetal.numerics.tree import node, static
from jaxmetal.spaxel.branch import turnover
from jaxmetal.spaxel.flux_likelihood import extinction, limits, uniform, usable

PERCENT = 0.01 / math.log(10.0)
"""One percent, in dex."""


class _Compared(NamedTuple):
    """A ratio: observed less expected log10, 0 where it does not count; its variance; sigma_cal."""

    off: jax.Array
    variance: jax.Array
    scatter: jax.Array


@node
class LogRatios:
    """-1/2 sum_i (log R_i,obs - log R_i(Z))^2 / (sigma_i,obs^2 + sigma_i,cal^2), of dereddened ratios.

    sigma_obs is the error of log R propagated from the fluxes to first order. Ratios are counted as if independent,
    as the papers do. A ratio with a line that is missing or not positive is left out: this selects, which `Fluxes`
    does not.

    Attributes:
        calibrations: of the ratios that depend on Z; the papers' polynomials at every Z.
        constants: log10 of the ratios that do not, shape (n,).
        scatter: sigma_cal of all ratios, those with calibrations first, dex, shape (ratios,).
        extinction: A(line)/A(V) of the lines, shape (lines,).
        z_range: limits of the flat prior of 12 + log(O/H), shape (2,).
        a_v_range: limits of the flat prior of A(V), mag, shape (2,); equal ends if it is not free.
        turnover: Z that separates the branches.
        fixed_ratios: those without calibration.
        features: lines, in the order of the fluxes.
        instead: pairs of ratios; the first counts only where the second has a line that is missing.
    """

    calibrations: tuple[Calibration, ...]
    constants: Any
    scatter: Any
    extinction: Any
    z_range: Any
    a_v_range: Any
    turnover: Any
    fixed_ratios: tuple[Ratio, ...] = static()
    features: tuple[str, ...] = static()
    instead: tuple[tuple[str, str], ...] = static(default=())

    @property
    def prior(self) -> dict[str, Distribution]:
        """Of all parameters."""
        return {"z": dist.Uniform(*self.z_range), "a_v": uniform(*self.a_v_range)}

    def log_likelihood(self, flux: jax.Array, sigma: jax.Array, *, z: Any, a_v: Any) -> jax.Array:
        """The sum above.

        Args:
            flux: shape (..., lines), reddened, NaN where missing.
            sigma: same shape.
            z: 12 + log(O/H), shape (...).
            a_v: A(V), mag.
        """
        total = jnp.zeros(())
        for one in self._compared(flux, sigma, z, a_v):
            total = total - 0.5 * one.off**2 / (one.variance + one.scatter**2)
        return total

    def departures(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> dict[str, jax.Array]:
        """Ratio -> mean departure from its calibration at each point (Z, A(V)), in units of its scatter."""
        compared = self._compared(flux, sigma, z, a_v)[: len(self.calibrations)]
        return {
            of.ratio.name: one.off * one.scatter / (one.variance + one.scatter**2)
            for of, one in zip(self.calibrations, compared, strict=True)
        }

    def summed(self, spaxels: Any) -> LogRatios:
        """Itself: it says nothing of Hb."""
        return self

    def log_marginal(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """The same; there is nothing to integrate out."""
        return self.log_likelihood(flux, sigma, z=z, a_v=a_v)

    def draw_hb(self, key: jax.Array, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """Intrinsic Hb from the measured one and its error, at every (Z, A_V); NaN where it was not measured."""
        shape = jnp.broadcast_shapes(jnp.shape(z), jnp.shape(a_v))
        if "Hbeta" not in self.features:
            return jnp.full(shape, jnp.nan)
        i = self.features.index("Hbeta")
        width = jnp.where(jnp.isfinite(sigma[i]), sigma[i], jnp.nan)
        drawn = flux[i] + width * jax.random.normal(key, shape, flux.dtype)
        return drawn * 10.0 ** (0.4 * jnp.asarray(self.extinction)[i] * a_v)

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether a calibration is beyond its valid range."""
        return jnp.any(jnp.stack([one.outside(z) for one in self.calibrations]), axis=0)

    def _compared(self, flux: jax.Array, sigma: jax.Array, z: Any, a_v: Any) -> list[_Compared]:
        """Every ratio, observed and expected."""
        used, flux, inverse = usable(flux, sigma)
        bright = used & (flux > 0.0)
        dereddened = jnp.where(bright, flux, 1.0) * 10.0 ** (0.4 * jnp.asarray(a_v)[..., None] * self.extinction)
        error = jnp.where(bright, dereddened / jnp.where(bright, flux * inverse, 1.0), 0.0)
        ratios = [one.ratio for one in self.calibrations] + list(self.fixed_ratios)
        expected = [one.curve(jnp.asarray(z)) for one in self.calibrations] + list(jnp.asarray(self.constants))
        known = {ratio.name: self._known(ratio, bright) for ratio in ratios}
        counts = known | {first: known[first] & ~known[second] for first, second in self.instead}
        found = []
        for ratio, log_ratio, scatter in zip(ratios, expected, jnp.asarray(self.scatter), strict=True):
            observed, variance = self._observed(ratio, dereddened, error)
            found.append(_Compared(jnp.where(counts[ratio.name], observed - log_ratio, 0.0), variance, scatter))
        return found

    def _known(self, ratio: Ratio, bright: jax.Array) -> jax.Array:
        """Whether all its lines are there."""
        return jnp.all(jnp.stack([bright[..., self.features.index(name)] for name in ratio.lines]), axis=0)

    def _observed(self, ratio: Ratio, flux: jax.Array, error: jax.Array) -> tuple[jax.Array, jax.Array]:
        """log10 of a ratio and its variance."""
        fluxes = {name: flux[..., i] for i, name in enumerate(self.features)}
        errors = {name: error[..., i] for i, name in enumerate(self.features)}
        return ratio.log10(fluxes), ratio.variance(fluxes, errors)


def log_ratios(
    features: Sequence[str],
    calibrations: Sequence[Calibration],
    *,
    scatter: Sequence[float],
    fixed: Mapping[str, tuple[float, float]],
    law: str,
    z_range: tuple[float, float],
    a_v_range: tuple[float, float],
    instead: Sequence[tuple[str, str]] = (),
) -> LogRatios:
    """A likelihood of log ratios.

    Args:
        features: lines in the order of the fluxes, no blends.
        calibrations: of the ratios that measure Z.
        scatter: sigma_cal of each, dex.
        fixed: ratio -> (value, sigma_cal in dex) for those that do not depend on Z.
        law: dust law.
        z_range: limits of the flat prior of 12 + log(O/H).
        a_v_range: limits of that of A(V), mag; equal for a known A(V).
        instead: pairs of these ratios; the first counts only where the second has a line that is missing.

    Raises:
        InputError: if there is no ratio, one needs a line that is not given, or a line occurs twice.
    """
    if not calibrations:
        raise InputError("ratios: expected one at least that measures metallicity, found none; name some.")
    names = tuple(blends([line(name).name for name in features]))
    constant = tuple(RATIOS[name] for name in fixed)
    for ratio in [*(one.ratio for one in calibrations), *constant]:
        absent = [name for name in ratio.lines if name not in names]
        if absent:
            raise InputError(
                f"ratio {ratio.name}: expected the lines {', '.join(ratio.lines)}, found no {absent[0]}; "
                "give its flux or leave the ratio out."
            )
    return LogRatios(
        calibrations=tuple(calibrations),
        constants=np.array([math.log10(value) for value, _ in fixed.values()]),
        scatter=np.array(
            [number("sigma_cal", one, "[0, inf)") for one in (*scatter, *(sigma for _, sigma in fixed.values()))]
        ),
        extinction=np.array([float(dust_law(law)(name)) for name in names]),
        z_range=limits("z_range", z_range),
        a_v_range=extinction(a_v_range),
        turnover=turnover(calibrations),
        fixed_ratios=constant,
        features=names,
        instead=tuple(instead),
    )
