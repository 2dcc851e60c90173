"""The ratios behind a posterior, to look at: what each calibration expects, and what was measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lines import Ratio
from jaxmetal.spaxel.flux_likelihood import usable
from jaxmetal.spaxel.ratio_likelihood import LogRatios
from jaxmetal.spaxel.wang import Wang17


class ExpectedRatio(NamedTuple):
    """A calibration as a likelihood takes it.

    Attributes:
        name: of the calibration.
        ratio: of which lines.
        log_ratio: log10 R, in the shape of Z.
        scatter: of log10 R at fixed Z, dex, same shape.
    """

    name: str
    ratio: Ratio
    log_ratio: np.ndarray
    scatter: np.ndarray


class MeasuredRatio(NamedTuple):
    """A measured ratio.

    Attributes:
        log_ratio: log10 R of dereddened fluxes, NaN where a line is missing or not positive.
        sigma: its error by those of the fluxes, to first order, dex.
    """

    log_ratio: np.ndarray
    sigma: np.ndarray


def expected(likelihood: Any, z: np.ndarray) -> list[ExpectedRatio]:
    """Every calibration of a likelihood, continued beyond its valid range as that likelihood does.

    Args:
        likelihood: from `fluxes`, `patricio19`, `wang17` or `curti20`.
        z: 12 + log(O/H), shape (n,).
    """
    at = jnp.asarray(z)
    if isinstance(likelihood, LogRatios):
        values = [one.curve(at) for one in likelihood.calibrations]
        scatter = [jnp.full(at.shape, sigma) for sigma in likelihood.scatter[: len(values)]]
        calibrations = likelihood.calibrations
    else:
        values, scatter = list(likelihood.emission.log_ratios(at).T), list(likelihood.emission.scatter(at).T)
        calibrations = likelihood.emission.calibrations
    return [
        ExpectedRatio(one.name, one.ratio, np.asarray(value), np.asarray(sigma))
        for one, value, sigma in zip(calibrations, values, scatter, strict=True)
    ]


def measured(likelihood: Any, flux: Any, sigma: Any, a_v: Any) -> dict[str, MeasuredRatio]:
    """The calibrated ratios of observed spectra, by the calibrations' names; those of blended lines are left out.

    Args:
        likelihood: as for `expected`.
        flux: observed, shape (..., features), NaN where missing.
        sigma: its errors.
        a_v: A(V) by which lines are dereddened, mag, shape (...).
    """
    used, flux, inverse = usable(flux, sigma)
    bright = used & (flux > 0.0)
    error = jnp.where(bright, 1.0 / jnp.where(bright, inverse, 1.0), jnp.nan)
    factors = _to_lines(likelihood, jnp.asarray(a_v))
    fluxes = {name: jnp.where(bright, flux, jnp.nan)[..., i] * factor for name, (i, factor) in factors.items()}
    errors = {name: error[..., i] * factor for name, (i, factor) in factors.items()}
    calibrations = getattr(likelihood, "emission", likelihood).calibrations
    return {
        one.name: MeasuredRatio(
            np.asarray(one.ratio.log10(fluxes)), np.sqrt(np.asarray(one.ratio.variance(fluxes, errors)))
        )
        for one in calibrations
        if set(one.ratio.lines) <= set(fluxes)
    }


def _to_lines(likelihood: Any, a_v: jax.Array) -> dict[str, tuple[int, jax.Array]]:
    """Line -> (feature that measures it, intrinsic flux of the line per observed flux of the feature).

    Lines of a blend are known apart only where their ratio is fixed, as in [OIII] 4959, 5007.
    """
    if isinstance(likelihood, LogRatios):
        bright = 10.0 ** (0.4 * a_v[..., None] * likelihood.extinction)
        return {name: (i, bright[..., i]) for i, name in enumerate(likelihood.features)}
    emission = likelihood.emission
    reddened = emission.constants * 10.0 ** (-0.4 * a_v[..., None] * emission.extinction)
    found: dict[str, tuple[int, jax.Array]] = {}
    lines_in = [[k for k, weight in enumerate(weights) if weight > 0.0] for weights in emission.weights]
    # Blends first, so that a line that is also measured alone counts as measured alone.
    for i in sorted(range(len(lines_in)), key=lambda i: -len(lines_in[i])):
        if len({emission.powers[k] for k in lines_in[i]}) > 1:
            continue
        total = reddened @ jnp.asarray(emission.weights[i])
        if isinstance(likelihood, Wang17) and i == likelihood.blended:
            total = total * (1.0 + (np.nan if likelihood.nii_ha is None else likelihood.nii_ha))
        found |= {emission.lines[k]: (i, emission.constants[k] / total) for k in lines_in[i]}
    return found
