"""Likelihoods of log line ratios: those of Patricio et al. 2019 and Curti et al. 2020."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import RATIOS, Calibration, Ratio, calibration, dust_law, line
from jaxmetal.numerics.tree import node, static
from jaxmetal.spaxel.branch import turnover
from jaxmetal.spaxel.flux_likelihood import extinction, limits, uniform, usable


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
        used, flux, inverse = usable(flux, sigma)
        bright = used & (flux > 0.0)
        dereddened = jnp.where(bright, flux, 1.0) * 10.0 ** (0.4 * jnp.asarray(a_v)[..., None] * self.extinction)
        error = jnp.where(bright, dereddened / jnp.where(bright, flux * inverse, 1.0), 0.0)
        ratios = [one.ratio for one in self.calibrations] + list(self.fixed_ratios)
        expected = [one.curve(jnp.asarray(z)) for one in self.calibrations] + list(jnp.asarray(self.constants))
        total = jnp.zeros(())
        for i, (ratio, log_ratio) in enumerate(zip(ratios, expected, strict=True)):
            observed, variance, known = self._observed(ratio, dereddened, error, bright)
            pull = (observed - log_ratio) ** 2 / (variance + jnp.asarray(self.scatter)[i] ** 2)
            total = total - 0.5 * jnp.where(known, pull, 0.0)
        return total

    def log_marginal(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """The same; there is nothing to integrate out."""
        return self.log_likelihood(flux, sigma, z=z, a_v=a_v)

    def draw_hb(self, key: jax.Array, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """Intrinsic Hb from the measured one and its error, at every (Z, A_V); NaN without Hb."""
        shape = jnp.broadcast_shapes(jnp.shape(z), jnp.shape(a_v))
        if "Hbeta" not in self.features:
            return jnp.full(shape, jnp.nan)
        i = self.features.index("Hbeta")
        drawn = flux[i] + sigma[i] * jax.random.normal(key, shape, flux.dtype)
        return drawn * 10.0 ** (0.4 * jnp.asarray(self.extinction)[i] * a_v)

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether a calibration is beyond its valid range."""
        return jnp.any(jnp.stack([one.outside(z) for one in self.calibrations]), axis=0)

    def _observed(
        self, ratio: Ratio, flux: jax.Array, error: jax.Array, bright: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """log10 of a ratio, its variance, and whether all its lines are there."""
        fluxes = {name: flux[..., i] for i, name in enumerate(self.features)}
        errors = {name: error[..., i] for i, name in enumerate(self.features)}
        known = jnp.all(jnp.stack([bright[..., self.features.index(name)] for name in ratio.lines]), axis=0)
        return ratio.log10(fluxes), ratio.variance(fluxes, errors), known


def log_ratios(
    features: Sequence[str],
    calibrations: Sequence[Calibration],
    *,
    scatter: Sequence[float],
    fixed: Mapping[str, tuple[float, float]],
    law: str,
    z_range: tuple[float, float],
    a_v_range: tuple[float, float],
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

    Raises:
        InputError: if a ratio needs a line that is not given.
    """
    names = tuple(line(name).name for name in features)
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
        scatter=np.array([*scatter, *(sigma for _, sigma in fixed.values())], float),
        extinction=np.array([float(dust_law(law)(name)) for name in names]),
        z_range=limits("z_range", z_range),
        a_v_range=extinction(a_v_range),
        turnover=turnover(calibrations),
        fixed_ratios=constant,
        features=names,
    )


PERCENT = 0.01 / math.log(10.0)
"""One percent, in dex."""


def patricio19(
    features: Sequence[str] = ("OII", "Hgamma", "Hbeta", "OIII4959", "OIII5007"),
    *,
    sigma_cal: float = 0.1,
    z_range: tuple[float, float] = (7.0, 9.2),
) -> LogRatios:
    """Patricio et al. 2019, MNRAS 489, 224, eq. 1, with sigma^2 where it prints (sigma^2)^2.

    R2, R3, O32 and R23 of Maiolino et al. 2008 with `sigma_cal` each; [OIII] 5007/4959 = 2.98 and Hb/Hg = 2.135 to 1 %;
    Calzetti et al. 2000; flat 12 + log(O/H), and flat E(B-V) from 0 to 1 (A_V = 4.05 E(B-V)). Their published maps need
    sigma_cal=0.06 and z_range=(8.4, 9.5).
    """
    return log_ratios(
        features,
        [calibration("M08", name) for name in ("O2", "O3", "O32", "R23")],
        scatter=[sigma_cal] * 4,
        fixed={"OIII_doublet": (2.98, PERCENT), "HbHg": (2.135, PERCENT)},
        law="Calzetti00",
        z_range=z_range,
        a_v_range=(0.0, 4.05),
    )


def curti20(
    features: Sequence[str] = ("OII", "Hbeta", "OIII5007", "Halpha", "NII6584", "SII"),
    ratios: Sequence[str] = ("R3", "R2", "N2", "S2"),
    *,
    a_v: float = 0.0,
    law: str = "CCM89",
    z_range: tuple[float, float] = (7.6, 8.9),
) -> LogRatios:
    """Curti et al. 2020, MNRAS 492, 821, eq. 1, with the calibrations and scatter of MNRAS 491, 944, Table 2.

    One set of ratios serves a whole galaxy. Fluxes are dereddened beforehand, or by the one `a_v` given here.
    """
    chosen = [calibration("C20", name) for name in ratios]
    return log_ratios(
        features,
        chosen,
        scatter=[float(one.sigma(jnp.asarray(8.3))) for one in chosen],
        fixed={},
        law=law,
        z_range=z_range,
        a_v_range=(a_v, a_v),
    )
