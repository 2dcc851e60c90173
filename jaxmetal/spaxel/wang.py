"""The likelihood of Wang et al. 2017, ApJ 837, 89, eq. 2: dereddened fluxes against those that Hb predicts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.ranges import number
from jaxmetal.lines import Calibration, Emission, calibration, emission
from jaxmetal.lines.strong_lines import constant_scatter
from jaxmetal.numerics.tree import node, static
from jaxmetal.spaxel import peaked
from jaxmetal.spaxel.branch import turnover
from jaxmetal.spaxel.dereddened import Dereddened
from jaxmetal.spaxel.flux_likelihood import limits, usable

Z_RANGE, A_V_RANGE, NII_RANGE = (7.0, 9.3), (0.0, 4.0), (1e-3, 0.5)
HB_RANGE = (1e-20, 1e-14)
"""Table 3 of the paper, Hb in erg/s/cm^2. It has 0 for the floors of Hb and [NII]/Ha, from which no Jeffreys prior can
begin; those here are below what is ever measured."""


@node
class Wang17:
    """log L = -1/2 sum_i (f_i - R_i Hb)^2 / (sigma_i^2 + sigma_Ri^2 Hb^2), as printed: without log sigma.

    f and sigma are dereddened by the trial A_V, Hb is the intrinsic flux, sigma_R = R (10^s - 10^-s)/2 with s the
    calibration's scatter in dex, 0 for Balmer lines. Being unnormalised, it prefers what inflates its errors; `Fluxes`
    does not.

    Attributes:
        emission: the R, from Hb to every feature, and the extinction.
        nii_ha: [NII]/Ha in the blend, or None where it is free with a Jeffreys prior.
        hb_range: limits of the Jeffreys prior of a spaxel's intrinsic Hb, in the unit of the fluxes, shape (2,).
        nii_range: those of [NII]/Ha, shape (2,).
        z_range: limits of the flat prior of 12 + log(O/H), shape (2,).
        a_v_range: limits of the flat prior of A(V), mag, shape (2,).
        turnover: Z that separates the branches.
        valid: range of Z that all calibrations share, shape (2,).
        blended: index of Ha+NII among the features, -1 for none.
        features: order of the fluxes.
    """

    emission: Emission
    nii_ha: Any
    hb_range: Any
    nii_range: Any
    z_range: Any
    a_v_range: Any
    turnover: Any
    valid: Any
    blended: int = static()
    features: tuple[str, ...] = static()

    @property
    def prior(self) -> dict[str, Distribution]:
        """Of all parameters."""
        known = {
            "z": dist.Uniform(*self.z_range),
            "a_v": dist.Uniform(*self.a_v_range),
            "hb": dist.LogUniform(*self.hb_range),
        }
        return known if self.nii_ha is not None else {**known, "nii_ha": dist.LogUniform(*self.nii_range)}

    def log_likelihood(
        self, flux: jax.Array, sigma: jax.Array, *, z: Any, a_v: Any, hb: Any, nii_ha: Any = None
    ) -> jax.Array:
        """Eq. 2 times -1/2.

        Args:
            flux: shape (..., features), reddened, NaN where missing.
            sigma: same shape.
            z: 12 + log(O/H), shape (...).
            a_v: A(V), mag.
            hb: intrinsic Hb.
            nii_ha: [NII]/Ha, where it is free.
        """
        at = self._at(flux, sigma, z, a_v, self.nii_ha if nii_ha is None else nii_ha)
        return at.log_likelihood(jnp.asarray(hb) * at.unit)

    def summed(self, spaxels: Any) -> Wang17:
        """That of the summed fluxes of so many spaxels, the Hb of each within `hb_range`."""
        return dataclasses.replace(self, hb_range=self.hb_range * spaxels)

    def log_marginal(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """log of the integral of L over ln Hb, with the Jeffreys prior normalised."""
        whole = jnp.log(self.hb_range[1] / self.hb_range[0])
        return self._nodes(self._at(flux, sigma, z, a_v, self.nii_ha)).log_integral - jnp.log(whole)

    def draw_hb(self, key: jax.Array, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> jax.Array:
        """Intrinsic Hb, one draw per point (Z, A_V), from its posterior there."""
        at = self._at(flux, sigma, z, a_v, self.nii_ha)
        return self._nodes(at).draw(key) / at.unit

    def departures(self, flux: jax.Array, sigma: jax.Array, z: jax.Array, a_v: jax.Array) -> dict[str, jax.Array]:
        """Ratio -> mean departure of its feature from R Hb, in units of sigma_R Hb; each feature has its own ratio."""
        at = self._at(flux, sigma, z, a_v, self.nii_ha)
        found, powers = self._nodes(at), self.emission.powers
        mean = [found.mean(at.departure(d, found.x)) for d in range(len(self.features))]
        return {
            one.ratio.name: jnp.sum(jnp.stack([np.sign(row[k]) * mean[d] for d, row in enumerate(powers)]), axis=0)
            for k, one in enumerate(self.emission.calibrations)
        }

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether a calibration that is used is beyond its valid range."""
        return (z < self.valid[0]) | (z > self.valid[1])

    def _ratios(self, z: jax.Array, nii_ha: jax.Array) -> tuple[jax.Array, jax.Array]:
        """R and sigma_R of every feature, shape (..., features)."""
        powers = self.emission.power_matrix
        ratio = self.emission.constants * 10.0 ** (self.emission.log_ratios(z) @ powers.T)
        spread = ratio * jnp.sinh(math.log(10.0) * (self.emission.scatter(z) @ jnp.abs(powers).T))
        if self.blended < 0:
            return ratio, spread
        blend = jnp.where(jnp.arange(len(self.features)) == self.blended, 1.0 + nii_ha[..., None], 1.0)
        return ratio * blend, spread * blend

    def _at(self, flux: jax.Array, sigma: jax.Array, z: Any, a_v: Any, nii_ha: Any) -> Dereddened:
        """The data and what Hb predicts of them at points (Z, A_V), in units of the errors."""
        _, flux, inverse = usable(flux, sigma)
        ratio, spread = self._ratios(jnp.asarray(z), jnp.asarray(nii_ha))
        largest = jnp.max(inverse)
        unit = jnp.where(largest > 0.0, largest, 1.0)
        scale = (inverse / unit) * 10.0 ** (-0.4 * jnp.asarray(a_v)[..., None] * self.emission.extinction)
        data, model, spread = flux * inverse, ratio * scale, spread * scale
        features = range(len(self.features))
        return Dereddened(
            [data[..., d] for d in features],
            [model[..., d] for d in features],
            [spread[..., d] if any(self.emission.powers[d]) else None for d in features],
            unit,
        )

    def _nodes(self, at: Dereddened) -> peaked.Nodes:
        """Hb where its mass is, and L there."""
        ends = self.hb_range[0] * at.unit, self.hb_range[1] * at.unit
        return peaked.nodes(at.log_likelihood, ends, *at.guess(*ends))


def wang17(
    features: Sequence[str] = ("OII", "Hgamma", "Hbeta", "OIII5007", "Ha+NII", "SII"),
    *,
    hb_range: tuple[float, float] | None = None,
    flux_unit: float | None = None,
    nii_ha: float | None = 0.05,
    nii_range: tuple[float, float] = NII_RANGE,
    sii_scatter: float = 0.11,
) -> Wang17:
    """Table 4 of Wang et al. 2017: Maiolino et al. 2008 for [OIII] and [OII], Jones et al. 2015 for [SII]/Ha.

    Ha/Hb = 2.86 (which also turns [SII]/Ha into [SII]/Hb), Hg/Hb = 0.47, Cardelli et al. 1989 with R_V = 3.1. The paper
    does not print the scatter of [SII]/Ha; `sii_scatter` is that of Curti et al. 2020.

    Args:
        features: any of these six, in the order of the fluxes; OIII5007 alone, as in the table.
        hb_range: floor and ceiling of the Jeffreys prior of a spaxel's intrinsic Hb, in the unit of the fluxes. Of sums
            over n spaxels they are n times as much (`posterior`'s `spaxels`).
        flux_unit: erg/s/cm^2 of one unit of the fluxes; instead, for the paper's ceiling of 10^-14 erg/s/cm^2.
        nii_ha: [NII]/Ha in the blend, 0 for an unblended Ha; None leaves it free ("extended"), which `sample` can do.
        nii_range: floor and ceiling of its Jeffreys prior; the paper's ceiling is 0.5.
        sii_scatter: dex.

    Raises:
        InputError: if a feature is another, a range is empty or not positive, or nothing says that of Hb.
    """
    hb_range = _of_hb(hb_range, flux_unit)
    known = {"OII", "Hgamma", "Hbeta", "OIII5007", "Ha+NII", "SII", "Hg", "Hb"}
    other = [name for name in features if name not in known]
    if other:
        raise InputError(f"features: expected some of {', '.join(sorted(known))}, found {other[0]}; use `fluxes`.")
    for name, (low, _) in {"hb_range": hb_range, "nii_range": nii_range}.items():
        if not low > 0.0:
            raise InputError(f"{name}: expected a positive floor, found {low}; a Jeffreys prior cannot begin at 0.")
    sulphur = dataclasses.replace(calibration("J15_S2", "S2", unverified=True), scatter=constant_scatter(sii_scatter))
    table = [everywhere(one) for one in (calibration("M08", "O3"), calibration("M08", "O2"), sulphur)]
    blends = {name: {"Halpha": 1.0} if name == "Ha+NII" else name for name in features}
    made = emission(blends, table, law="CCM89", r_v=3.1, hydrogen={"Ha": 2.86, "Hg": 0.47})
    if len(made.lines) < len(features):
        raise InputError(f"features: expected every line once, found {', '.join(features)}; give each once.")
    ranges = np.array([calibration(*one.name.split("."), unverified=True).valid for one in made.calibrations])
    return Wang17(
        emission=made,
        nii_ha=None if nii_ha is None else number("nii_ha", nii_ha, "[0, inf)"),
        hb_range=limits("hb_range", hb_range),
        nii_range=limits("nii_range", nii_range),
        z_range=np.array(Z_RANGE),
        a_v_range=np.array(A_V_RANGE),
        turnover=turnover(made.calibrations),
        valid=np.array([ranges[:, 0].max(), ranges[:, 1].min()]) if ranges.size else np.array(Z_RANGE),
        blended=list(features).index("Ha+NII") if "Ha+NII" in features else -1,
        features=made.features,
    )


def _of_hb(hb_range: tuple[float, float] | None, flux_unit: float | None) -> tuple[float, float]:
    """The range given, or the paper's in units of the fluxes."""
    if hb_range is not None and flux_unit is None:
        return hb_range
    if hb_range is None and flux_unit is not None and flux_unit > 0.0:
        return HB_RANGE[0] / flux_unit, HB_RANGE[1] / flux_unit
    raise InputError(
        f"hb_range: expected either its ends or a positive flux_unit, found {hb_range} and {flux_unit}; give one."
    )


def everywhere(one: Calibration) -> Calibration:
    """The paper's polynomial over the whole prior, instead of its tangent outside the calibrated range."""
    return dataclasses.replace(one, valid=np.array(Z_RANGE))
